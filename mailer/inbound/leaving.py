"""The phrases by which people end a contract: for one sentence, any case, straight apostrophes; read by `wording`.

Gaps are bounded, so that no text makes a search slow. What a phrase means beside other words is for `doubts` to say.
"""

import re

_GAP = r"[^.!?;:]{0,80}?"

# English
_EN_NOUN = (
    r"(?:accounts?|agreements?|contracts?|subscriptions?|sub|services?|memberships?|participation|licen[sc]es?|plan|"
    r"relationship)"
)
# What a word here is only part of ("my account manager") is not ended; a contract "with reality" is none of ours.
_EN_AFTER = (
    r"(?=\s*(?:[.,!?;:)\n(]|$|-\s)|\s+(?:with\s+(?:you|your|immediate|effect|the\s+effect|(?-i:[A-Z]))|to\s+(?:your|"
    r"(?-i:[A-Z]))|"
    r"(?:of|dated|no|nr|number)\s+\W?\d|\W?\d|(?:as|effective|immediately|because|and|at|from|on|per|by|before|within|"
    r"now|today|in|please|pls|plz|thanks|thank|thx|asap|right|straight|since|due|for|starting|under|herewith|hereby|"
    r"therefore|forthwith|instead|svp|(?-i:[A-Z]\w+))\b))"
)
# Of another thing ("the ticket about my account", "my newsletter subscription") no word may stand before the noun.
_EN_WORD = (
    r"(?!(?:about|with|of|for|to|on|in|from|at|newsletters?|news|newspaper|old|previous|former|first|other|another|"
    r"free|trial|"
    r"his|her|their|its|e-?mail|mail|user|test|phone|insurance|lease|rental|supplier|vendor|cleaning|maintenance|"
    r"appointment|"
    r"ticket|meeting|order)\b)[\w'-]+\s+"
)
_EN_POSS = r"(?:(?:my|our|the|this|your|all)\s+)?"
_EN_THING = rf"{_EN_POSS}(?:{_EN_WORD}){{0,3}}?{_EN_NOUN}\b{_EN_AFTER}"
_EN_MINE = rf"(?:my|our|the|this)\s+(?:{_EN_WORD}){{0,3}}?{_EN_NOUN}\b{_EN_AFTER}"
_EN_MINE_BARE = rf"(?:my|our|the|this)\s+(?:{_EN_WORD}){{0,3}}?{_EN_NOUN}"
_EN_VERB = r"(?:terminate|cancel|close|discontinue|end|stop|quit)"
_EN_VERBING = r"(?:terminating|cancell?ing|closing|discontinuing|ending|stopping)"
_EN_ADV = (
    r"(?:(?:hereby|herewith|do|now|therefore|formally|officially|also|immediately|so|thus|both|,|kindly|please)"
    r"\s+){0,6}"
)
_EN_STOP = (
    r"(?=\s*(?:[.,!;)\n]|$)|\s+(?:as\s+(?:of|from)|with\s+(?:immediate\s+)?effect|effective|immediately|because|and|"
    r"now|"
    r"today|please|per|by\s+\d|on\s+\d|from\s+\d|asap|it)\b)"
)
_EN_WANT = (
    r"(?:want|wish|would\s+like|would\s+prefer|(?:have\s+|had\s+|'ve\s+)?(?:now\s+)?decided|choose|chose|elect|"
    r"have\s+chosen|"
    r"opt|am\s+writing|are\s+writing|would\s+hereby\s+like|write)"
)
_EN_WE = r"\b(?:i|we|the\s+undersigned)"
_START = r"(?:^|(?<=[,:\n–-])\s*|(?<=\bso )|(?<=\band )|(?<=\btherefore )|(?<=\btherefore, ))"

_ENGLISH = (
    rf"{_EN_WE}\s+{_EN_ADV}{_EN_VERB}s?\s+{_EN_THING}",
    rf"{_EN_WE}\s+{_EN_ADV}terminates?{_EN_STOP}",
    rf"{_EN_WE}(?:'m|'re|\s+am|\s+are|\s+will\s+be|'ll\s+be)\s+{_EN_ADV}(?:{_EN_VERBING}\s+{_EN_THING}|"
    rf"(?:terminating|cancell?ing){_EN_STOP})",
    rf"\b(?:want|wish|would\s+like)\s+{_EN_MINE_BARE}\s+(?:to\s+be\s+)?(?:closed|cancell?ed|terminated|ended)\b",
    rf"\bconsider\s+{_EN_MINE_BARE}\s+(?:to\s+be\s+)?(?:closed|cancell?ed|terminated|ended)\b",
    rf"\b(?:process|notify\s+you\s+of|inform\s+you\s+of)\s+(?:the|my|our)\s+(?:termination|"
    rf"cancellation)\s+of\s+{_EN_MINE}",
    rf"{_EN_WE}\s+will\s+{_EN_ADV}{_EN_VERB}\s+{_EN_THING}\s+(?:on|as\s+of|as\s+from|effective|from|per|by)\b",
    rf"{_EN_WE}\s*(?:\s|'d\s|(?='ve))\s*{_EN_ADV}(?:{_EN_WANT}|like)\s+(?:you\s+)?too?\s+{_EN_ADV}"
    rf"(?:{_EN_VERB}\s+{_EN_THING}|(?:terminate|cancel){_EN_STOP})",
    rf"(?:^|,\s*)(?:so\s+)?please\s+(?:cancel|terminate){_EN_STOP}",
    rf"{_EN_WE}(?:'m|'re|'ve|'d)?\b[^.!?;:]{{1,150}}?\b(?:and|but)\s+(?P<core>{_EN_ADV}(?:{_EN_WANT}\s+to\s+{_EN_VERB}|"
    rf"terminate|"
    rf"cancel)\s+(?:{_EN_MINE}|as\s+of\b))",
    rf"\bit\s+is\s+(?:my|our)\s+(?:wish|decision|intention)\s+to\s+{_EN_VERB}\s+{_EN_THING}",
    rf"\b(?:please|kindly|pls|plz|i\s+(?:kindly\s+)?(?:ask|request)\s+(?:you\s+to|that\s+you)|"
    rf"we\s+(?:kindly\s+)?(?:ask|request)\s+"
    rf"(?:you\s+to|that\s+you)|i\s+(?:want|need|would\s+like)\s+you\s+to|we\s+(?:want|need|would\s+like)\s+you\s+to)\s+"
    rf"{_EN_ADV}{_EN_VERB}\s+{_EN_THING}",
    rf"\b(?:can|could|would|will)\s+you\s+(?:please\s+|kindly\s+)?{_EN_VERB}\s+{_EN_MINE}",
    rf"{_START}(?:just\s+|hereby\s+|then\s+)?{_EN_VERB}\s+(?:my|our)\s+{_EN_THING}",
    rf"{_START}terminate\s+(?:the|this)\s+{_EN_THING}",
    rf"\b(?:request|demand|ask\s+for)\s+(?:the\s+)?(?:immediate\s+)?(?:termination|cancellation)\s+of\s+{_EN_MINE}",
    r"\b(?:this\s+(?:\w+\s+)?(?:is|serves\s+as|constitutes)|consider\s+this|accept\s+this(?:\s+\w+)?\s+as|"
    r"treat\s+this(?:\s+\w+)?\s+as|"
    r"take\s+this(?:\s+\w+)?\s+as|herewith|hereby|find\s+(?:attached|enclosed)|attached\s+(?:is|you\s+find))\s+"
    r"(?:my|our|a|the|formal)\s+(?:\w+\s+){0,2}(?:notice\s+of\s+)?(?:termination|cancellation)\b",
    r"\bgives?\s+(?:you\s+)?(?:formal\s+|written\s+)?notice\s+(?:of\s+(?:the\s+)?(?:termination|cancellation)|"
    r"to\s+terminate)\b",
    r"\b(?:exercis(?:e|ing)|mak(?:e|ing)\s+use\s+of|us(?:e|ing)|invok(?:e|ing))\s+(?:my|our|the)\s+"
    r"(?:right|option|possibility)\s+(?:to\s+(?:terminate|cancel)|of\s+(?:termination|cancellation))",
)

# Dutch
_NL_POSS = r"(?:(?:mijn|m'?n|me|ons|onze|het|de|deze|dit|jullie|uw)\s+)?"
# Between who speaks and what they do with it, in one sentence.
_NL_BEFORE = r"[^.!?;:]{1,150}?"
_NL_NOUN = (
    r"(?:account|abo|overeenkomst(?:en)?|contract(?:en)?|abonnement(?:en)?|dienst(?:verlening)?|diensten|gebruik|"
    r"lidmaatschap|"
    r"deelname|licenties?|gebruikersovereenkomst|service|samenwerking)"
)
_NL_WORD = (
    r"(?!(?:van|met|op|over|voor|in|bij|aan|oude?|vorige?|eerste|andere?|nieuwsbrief|krant|zijn|haar|hun|gratis|"
    r"proef\w*|"
    r"bestelling|afspraak|ticket)\b)[\w'-]+\s+"
)
_NL_THING = rf"{_NL_POSS}(?:{_NL_WORD}){{0,3}}?{_NL_NOUN}\b"
_NL_ADV = (
    r"(?:(?:hierbij|bij\s+dezen?|middels\s+deze\s+\w+|graag|dan\s+ook|daarom|dus|derhalve|per\s+direct|nu|meteen|"
    r"direct|"
    r"formeel|officieel|bijgevolg|zodoende|ook|dan\s+ook|gewoon|nu)\s+){0,6}"
)
_NL_WHEN = r"(?:(?:per|vanaf|met\s+ingang\s+van)\s+[\w\s-]{1,25}?\s+)?"
_NL_WHAT = rf"{_NL_ADV}{_NL_WHEN}(?:{_NL_THING}\s+{_GAP}|(?:het|dit|alles)\s+)?{_NL_ADV}{_NL_WHEN}"
_NL_STOP = (
    r"(?=\s*(?:[.,!;)\n]|$)|\s+(?:per\b|met\s+(?:onmiddellijke\s+)?ingang|vanaf\b|en\b|wegens\b|omdat\b|want\b|"
    r"vanwege\b|"
    r"in\s+verband|ivm\b|naar\s+aanleiding|bij\s+dezen?\b|nu\b|a\.?u\.?b|svp|graag|ook\b|hierbij\b|dus\b|bij\s+jullie))"
)
_NL_END = (
    r"(?:opzeggen|op\s+te\s+zeggen|(?:te\s+)?be[ëe]indigen|(?:te\s+)?annuleren|stopzetten|stop\s+te\s+zetten|"
    r"op(?:\s+te\s+)?heffen|(?:te\s+)?ontbinden|(?:te\s+)?sluiten|(?:te\s+)?stoppen)"
)
_NL_WE = r"\b(?:ik|wij|we|ondergetekenden?)"
_NL_PLEASE = (
    r"(?:graag|gelieve|verzoek(?:en)?\s+(?:ik|wij|u|jullie)(?:\s+(?:u|jullie|om))*|wilt\s+u|wil\s+je|willen\s+jullie|"
    r"kunt\s+u|"
    r"kan\s+je|kun\s+je|kunnen\s+jullie|zou(?:den)?\s+(?:u|je|jullie))"
)

_DUTCH = (
    rf"{_NL_WE}\s+zeg(?:gen|t)?\s+{_NL_WHAT}\bop\b{_NL_STOP}",
    rf"\bzeg(?:gen)?\s+(?:ik|wij|we)\s+{_NL_WHAT}\bop\b{_NL_STOP}",
    rf"{_NL_WE}\b{_NL_BEFORE}\ben\s+(?P<core>zeg(?:gen)?\s+{_NL_WHAT}\bop\b{_NL_STOP})",
    rf"\b{_NL_NOUN}\b{_NL_BEFORE}\b(?P<core>zeg(?:gen)?\s+(?:het|deze|dit|die)\s+{_NL_ADV}op\b{_NL_STOP})",
    rf"\bzegt\s+(?:hierbij|bij\s+dezen?)\s+{_NL_WHAT}\bop\b{_NL_STOP}",
    rf"{_NL_WE}\s+{_NL_ADV}(?:be[ëe]indig|annuleer|be[ëe]indigen|annuleren|"
    rf"be[ëe]indigt)\s+{_NL_ADV}{_NL_WHEN}{_NL_THING}",
    rf"\b(?:be[ëe]indig|annuleer|be[ëe]indigen|annuleren)\s+(?:ik|wij|we)\s+{_NL_ADV}{_NL_WHEN}{_NL_THING}",
    rf"\b(?:laat|laten|deel|delen|meld|melden|informeer|informeren|bevestig|bevestigen|"
    rf"bericht)\b[^.!?;:]{{0,40}}\bdat\s+(?:ik|wij|we)\s+"
    rf"{_NL_ADV}{_NL_THING}\s+{_GAP}(?:(?:wil|willen|wens|wensen)\s+)?(?:opzeg|be[ëe]indig|stopzet|annuleer|"
    rf"{_NL_END})\b",
    rf"{_NL_WE}\s+(?:wil|willen|wens|wensen|zou|zouden)\s+{_NL_ADV}{_NL_THING}\s+{_GAP}{_NL_END}\b",
    rf"\b(?:wil|wens|zou|willen|wensen|zouden)\s+(?:ik|wij|we)\s+{_NL_ADV}{_NL_THING}\s+{_GAP}{_NL_END}\b",
    rf"{_NL_WE}\b{_NL_BEFORE}\ben\s+(?P<core>(?:wil|willen|wens|wensen)\s+{_NL_ADV}"
    rf"(?:{_NL_THING}\s+{_GAP}{_NL_END}\b|opzeggen{_NL_STOP}))",
    rf"{_NL_WE}\b{_NL_BEFORE}\ben\s+(?P<core>(?:be[ëe]indig|annuleer|be[ëe]indigen|annuleren)\s+{_NL_ADV}{_NL_THING})",
    rf"\b(?:hierbij|bij\s+dezen?)\s+opzegging\s+van\s+(?:mijn|ons|onze|het|de)\s+{_NL_NOUN}\b",
    r"\bgebruik\s+van\s+(?:mijn|ons|het)\s+opzeg(?:gings)?recht\b",
    rf"\bhierbij\s+zeg(?:gen)?\s+(?:ik|wij|we)\s+(?-i:[A-Z])\w+\s+op{_NL_STOP}",
    rf"\b(?:graag|gelieve)\s+{_NL_ADV}{_NL_WHEN}opzeggen{_NL_STOP}",
    rf"{_NL_WE}\s+(?:wil|willen|wens|wensen)\s+{_NL_ADV}(?:opzeggen|op\s+te\s+zeggen|annuleren|"
    rf"be[ëe]indigen){_NL_STOP}",
    rf"{_NL_WE}\s+(?:ga|gaan)\s+{_NL_ADV}{_NL_THING}\s+{_GAP}{_NL_END}\s+(?:per|met\s+ingang|vanaf)\b",
    rf"\b(?:heb|hebben)\b[^.!?;:]{{0,40}}\bbesloten\s+(?:om\s+)?{_NL_ADV}{_NL_THING}\s+{_GAP}{_NL_END}\b",
    rf"\bbesloten\s+(?:om\s+)?{_NL_THING}\s+{_GAP}(?:op\s+te\s+zeggen|te\s+be[ëe]indigen)\b",
    rf"\b{_NL_PLEASE}\s+{_NL_ADV}{_NL_WHEN}{_NL_THING}\s+{_GAP}{_NL_END}\b",
    rf"\b(?:ik\s+verzoek\s+u|wij\s+verzoeken\s+u|ik\s+verzoek\s+jullie|"
    rf"wij\s+verzoeken\s+jullie)\s+(?:om\s+)?{_NL_ADV}{_NL_THING}\s+{_GAP}{_NL_END}\b",
    r"\b(?:hierbij|bij\s+dezen?|dit\s+is|bijgaand|bijgevoegd|in\s+de\s+bijlage)\s+(?:vindt\s+u\s+|treft\s+u\s+|"
    r"ontvangt\s+u\s+|volgt\s+|is\s+)?"
    r"(?:mijn|onze|de)\s+(?:\w+\s+)?opzegging\b",
    rf"{_START}(?:hierbij\s+)?zeg\s+(?:(?:svp|aub|alsjeblieft|alstublieft|nu|dan)\s+)?(?:mijn|m'?n|onze?|het|"
    rf"de)\s+{_NL_THING}\s+{_GAP}\bop\b{_NL_STOP}",
    rf"{_START}(?:be[ëe]indig|annuleer|sluit)\s+(?:mijn|m'?n|onze?)\s+{_NL_THING}",
    rf"{_START}(?:be[ëe]indig|annuleer)\s+(?:het|de)\s+{_NL_NOUN}\b",
    rf"{_START}{_NL_THING}\s+{_NL_WHEN}(?:opzeggen|be[ëe]indigen|annuleren|stopzetten)\s*(?:svp|aub|graag|alsjeblieft|"
    rf"alstublieft)?(?=\s*(?:[.,!]|$))",
    r"\b(?:gebruik\s+van|uitoefenen\s+van|beroep\s+op)\s+(?:mijn|het|ons|onze|de)\s+(?:recht|mogelijkheid)\s+"
    rf"(?:om\s+)?(?:op\s+te\s+zeggen|tot\s+opzegging|te\s+be[ëe]indigen|{_NL_THING}\s+{_GAP}{_NL_END})",
)

# German, French, a little Spanish
_DE_THING = (
    r"(?:(?:meinen?|unseren?|mein|unser|den|das|die|diesen?|ihren?)\s+)?(?:[\w'-]+\s+){0,2}?"
    r"(?:vertrag|verträge|konto|account|abo|abonnement|mitgliedschaft|vereinbarung|nutzungsvertrag|zugang)\b"
)
_DE_ADV = (
    r"(?:(?:hiermit|daher|deshalb|somit|also|fristlos|fristgerecht|zum\s+[\w.]+|den|sofort|gern\w?|bitte|"
    r"mit\s+sofortiger\s+wirkung|"
    r"ordentlich|außerordentlich)\s+){0,5}"
)
_GERMAN = (
    r"\b(?:ich\s+kündige|wir\s+kündigen)(?=\s*(?:[.,!;\n]|$|(?:hiermit|meinen?|mein|unseren?|den|das|die|zum|fristlos|"
    r"fristgerecht|daher)\b))",
    r"\b(?:hiermit|daher|deshalb|somit|fristgerecht)\s+kündigen?\s+(?:ich|wir)\b",
    rf"\b(?:ich|wir)\b[^.!?;:]{{1,150}}?\bund\s+(?P<core>kündigen?\s+{_DE_ADV}{_DE_THING}|kündigen?(?=\s*(?:[.!]|$)))",
    rf"\b(?:ich|wir)\s+(?:möchten?|will|wollen|wünschen?)\s+{_DE_ADV}{_DE_THING}\s+{_GAP}(?:zu\s+)?(?:kündigen|"
    rf"beenden)\b",
    r"\b(?:ich|wir)\s+(?:möchten?|wollen|will)\s+(?:hiermit\s+)?kündigen(?=\s*(?:[.,!]|$))",
    rf"\bbitte\s+{_DE_ADV}(?:kündigen|beenden)\s+sie\s+{_DE_ADV}{_DE_THING}",
    rf"\bbitte\s+(?:löschen|schließen)\s+sie\b[^.!?;]{{0,50}}\b(?:beenden|kündigen)\s+sie\s+{_DE_THING}",
    r"\bmachen?\b[^.!?;:]{0,40}\bkündigungsrecht\b[^.!?;:]{0,20}\bgebrauch\b",
    r"^kündigung\s+(?:zum|per|meines|unseres|des)\b",
)
_FR_THING = (
    r"(?:mon|ma|notre|le|la|ce|cet|cette|l')\s*(?:[\w'-]+\s+){0,2}?"
    r"(?:contrat|compte|abonnement|accord|adhésion|service)\b"
)
_FRENCH = (
    rf"\b(?:je|nous)\s+(?:vous\s+informe(?:ons)?\s+que\s+(?:je|nous)\s+)?résili(?:e|ons)(?=\s*(?:[.,!;\n]|$)|"
    rf"\s+(?:{_FR_THING}|par\b|donc\b))",
    rf"\b(?:je|nous)\s+(?:souhait(?:e|ons)|veux|voulons|désir(?:e|ons)|voudrais|aimerais)\s+"
    rf"(?:résilier|clôturer|annuler|mettre\s+fin\s+à)\s+{_FR_THING}",
    rf"\b(?:ma|notre)\s+décision\s+de\s+(?:résilier|mettre\s+fin\s+à)\s+{_FR_THING}",
    rf"\b(?:j'ai|nous\s+avons)\s+décidé\s+de\s+(?:résilier|mettre\s+fin\s+à)\s+{_FR_THING}",
    rf"\b(?:je|nous)\s+(?:mets|mettons)\s+fin\s+à\s+{_FR_THING}",
    rf"\b(?:veuillez|merci\s+de|prière\s+de|pourriez-vous|je\s+vous\s+(?:prie|demande)\s+de)\s+(?:bien\s+vouloir\s+)?"
    rf"(?:résilier|clôturer|annuler|fermer|mettre\s+fin\s+à)\s+{_FR_THING}",
    rf"^(?:résiliez|annulez|clôturez|fermez)\s+{_FR_THING}",
)
_SPANISH = (
    r"\b(?:quiero|deseo|queremos|deseamos|solicito|solicitamos|por\s+favor)\s+(?:cancelar?|cancelen|rescindir|terminar|"
    r"dar\s+de\s+baja)\s+"
    r"(?:mi|nuestr[oa]|el|la)\s+(?:contrato|cuenta|suscripción|acuerdo)\b",
    r"\b(?:rescindo|cancelo|rescindimos|cancelamos)\s+(?:mi|nuestr[oa]|el|la)\s+(?:contrato|cuenta|suscripción|"
    r"acuerdo)\b",
)

PHRASES: dict[str, tuple[re.Pattern[str], ...]] = {
    language: tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    for language, patterns in (
        ("en", _ENGLISH),
        ("nl", _DUTCH),
        ("de", _GERMAN),
        ("fr", _FRENCH),
        ("es", _SPANISH),
    )
}
WHOLE: dict[str, frozenset[str]] = {
    "en": frozenset(
        {"terminate", "i terminate", "termination", "i hereby terminate", "we terminate", "please terminate",
         "terminate please", "termination please", "cancel", "cancel please", "please cancel", "i am terminating",
         "i'm terminating", "we are terminating", "i cancel", "cancellation", "please cancel it", "cancel it",
         "notice of termination"}
    ),
    "nl": frozenset(
        {"opzeggen", "opzegging", "ik zeg op", "zeg op", "wij zeggen op", "graag opzeggen", "ik wil opzeggen",
         "opzeggen graag", "opzeggen aub", "opzeggen svp", "opzeggen alstublieft", "doe mij maar opzeggen",
         "doe mij maar opzeggen dan", "we zeggen op", "ik wil graag opzeggen", "ik wil graag annuleren",
         "annuleren graag", "graag annuleren", "wij willen opzeggen"}
    ),
    "de": frozenset({"ich kündige", "kündigung", "hiermit kündige ich", "kündigen", "wir kündigen", "bitte kündigen"}),
    "fr": frozenset({"je résilie", "résiliation", "nous résilions", "résilier"}),
}  # fmt: skip
"""What ends a contract when it is all that was said, without courtesies and marks."""

REQUEST = re.compile(
    r"\b(?:(?:can|could|would|will)\s+you\b|(?:wilt|kunt)\s+u\b|(?:wil|kun|kan)\s+je\b|(?:willen|kunnen)\s+jullie\b|"
    r"zou(?:den)?\s+(?:u|je|jullie)\b|"
    r"(?:können|könnten|würden)\s+sie\b|pourriez-vous\b)",
    re.IGNORECASE,
)
"""A question in form only, when it asks to end the contract."""
