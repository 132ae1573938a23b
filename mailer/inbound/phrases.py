"""The phrases by which people leave, ask, doubt, and claim their data; read by `wording`.

All are for lower-case text with straight apostrophes. Gaps are bounded, so that no text makes a search slow.
"""

import re

MOST_WORDS = 150
MOST_LETTERS = 5_000
BLANK_LINES = re.compile(r"\n{3,}")

_EN_THING = (
    r"(?:(?:my|our|the|this|your)\s+)?(?:[\w'-]+\s+){0,3}?"
    r"(?:accounts?|agreement|contract|subscription|services?|use|membership|participation|licen[sc]e)\b"
    # What a word here is only part of ("my account manager") is not ended.
    r"(?=\s*(?:[.,!;:)\n]|$)|\s+(?:of|with|as|effective|immediately|because|and|at|from|on|per|by|now|today|in|please|thanks|"
    r"thank|asap|right|straight|since|due|between|you|under|herewith)\b)"
)
_EN_VERB = r"(?:terminate|cancel|close|discontinue|end)"
_EN_ADVERBS = r"(?:(?:hereby|herewith|do|now|therefore|formally|also|immediately|so|thus)\s+){0,6}"
_EN_STOP = (
    r"(?=\s*(?:[.,!;)\n]|$|as\s+of|as\s+from|with\s+(?:immediate\s+)?effect|effective|immediately|because|and\b))"
)
_NL_THING = (
    r"(?:(?:mijn|ons|onze|het|de|deze|dit|jullie|uw)\s+)?(?:[\w'-]+\s+){0,3}?"
    r"(?:account|overeenkomst|contract|abonnement|dienst(?:verlening)?|diensten|gebruik|lidmaatschap|deelname|licentie|"
    r"gebruikersovereenkomst|service)\b"
)
_NL_ADVERBS = (
    r"(?:(?:hierbij|bij\s+dezen?|graag|dan\s+ook|daarom|dus|per\s+direct|nu|meteen|direct|formeel|officieel)\s+){0,6}"
)
_NL_STOP = (
    r"(?=\s*(?:[.,!;)\n]|$|per\b|met\s+(?:onmiddellijke\s+)?ingang|vanaf\b|en\b|wegens\b|omdat\b|want\b|vanwege\b|"
    r"in\s+verband|i\.?v\.?m|naar\s+aanleiding|bij\s+dezen?\b))"
)
_NL_WHEN = r"(?:(?:per|vanaf|met\s+ingang\s+van)\s+[\w\s]{1,25}?\s+)?"
_GAP = r"[^.!?;:]{0,80}?"
_NL_WHAT = (
    rf"{_NL_ADVERBS}{_NL_WHEN}(?:{_NL_THING}\s+{_GAP}|(?:het|dit|alles)\s+)?"
    rf"{_NL_ADVERBS}{_NL_WHEN}"
)
_NL_END_IT = (
    r"(?:opzeggen|op\s+te\s+zeggen|(?:te\s+)?be[ëe]indigen|(?:te\s+)?annuleren|stopzetten|stop\s+te\s+zetten|opheffen)"
)
_START = r"(?:^|(?<=[.!,\n])\s*)"

STRONG: dict[str, tuple[str, ...]] = {
    "en": (
        rf"\b(?:i|we)\s+{_EN_ADVERBS}{_EN_VERB}\s+{_EN_THING}",
        rf"\b(?:i|we)\s+{_EN_ADVERBS}terminate{_EN_STOP}",
        rf"\b(?:i|we)\s+{_EN_ADVERBS}(?:want|wish|would\s+like|(?:have\s+)?decided|choose|am\s+writing|are\s+writing)\s+to\s+"
        rf"(?:hereby\s+|immediately\s+)?{_EN_VERB}\s+{_EN_THING}",
        rf"\bi'd\s+like\s+to\s+{_EN_VERB}\s+{_EN_THING}",
        rf"\b(?:i|we)\s+{_EN_ADVERBS}(?:want|wish|would\s+like)\s+to\s+terminate{_EN_STOP}",
        rf"\b(?:please|kindly)\s+{_EN_ADVERBS}{_EN_VERB}\s+{_EN_THING}",
        rf"{_START}(?:hereby\s+)?{_EN_VERB}\s+(?:my|our)\s+{_EN_THING}",
        rf"\b(?:and|therefore)\s+hereby\s+{_EN_VERB}\s+{_EN_THING}",
        r"\b(?:this\s+is|consider\s+this|accept\s+this\s+as|treat\s+this\s+as|take\s+this\s+as|herewith|hereby)\s+"
        r"(?:my|our|a|formal)\s+(?:\w+\s+){0,2}(?:termination|cancellation)\b",
        r"\b(?:i|we)\s+(?:hereby\s+)?give\s+(?:you\s+)?notice\s+of\s+(?:termination|cancellation)\b",
    ),
    "nl": (
        rf"\b(?:ik|wij|we)\s+zeg(?:gen)?\s+{_NL_WHAT}\bop\b{_NL_STOP}",
        rf"\bzeg(?:gen)?\s+(?:ik|wij|we)\s+{_NL_WHAT}\bop\b{_NL_STOP}",
        rf"\ben\s+zeg(?:gen)?\s+(?:hierbij|bij\s+dezen?|daarom|dus|dan\s+ook)\s+{_NL_WHAT}\bop\b{_NL_STOP}",
        rf"\b(?:ik|wij|we)\s+{_NL_ADVERBS}(?:be[ëe]indig|annuleer|be[ëe]indigen|annuleren)\s+{_NL_ADVERBS}{_NL_THING}",
        rf"\b(?:be[ëe]indig|annuleer|be[ëe]indigen|annuleren)\s+(?:ik|wij|we)\s+{_NL_ADVERBS}{_NL_THING}",
        rf"\b(?:ik|wij|we)\s+(?:wil|willen|wens|wensen|zou|zouden)\s+{_NL_ADVERBS}{_NL_THING}\s+{_GAP}{_NL_END_IT}\b",
        rf"\b(?:wil|wens)\s+ik\s+{_NL_ADVERBS}{_NL_THING}\s+{_GAP}{_NL_END_IT}\b",
        rf"\b(?:ik|wij|we)\s+(?:wil|willen|wens|wensen)\s+{_NL_ADVERBS}{_NL_END_IT}{_NL_STOP}",
        rf"\b(?:graag|gelieve|verzoek\s+(?:u|jullie))\s+{_NL_ADVERBS}{_NL_THING}\s+{_GAP}{_NL_END_IT}\b",
        r"\b(?:hierbij|bij\s+dezen?|dit\s+is)\s+(?:mijn|onze|de)\s+(?:\w+\s+)?opzegging\b",
        rf"{_START}(?:hierbij\s+)?zeg\s+(?:mijn|onze?)\s+{_NL_THING}\s+{_GAP}\bop\b",
        rf"{_START}(?:be[ëe]indig|annuleer)\s+(?:mijn|onze?)\s+{_NL_THING}",
        r"\bgebruik\s+van\s+(?:mijn|het|ons)\s+recht\s+(?:om\s+)?(?:op\s+te\s+zeggen|tot\s+opzegging|te\s+be[ëe]indigen)",
    ),
    "de": (
        r"\bich\s+kündige(?=\s*(?:[.,!;\n]|$|hiermit|meinen?|mein|den|das|die|zum|fristlos))",
        r"\bhiermit\s+kündigen?\s+(?:ich|wir)\b",
    ),
    "fr": (
        r"\bje\s+(?:vous\s+informe\s+que\s+je\s+)?résilie(?=\s*(?:[.,!;\n]|$|mon|ma|le|la|ce|par))",
        r"\bje\s+(?:mets\s+fin\s+à|souhaite\s+résilier|veux\s+résilier)\s+(?:mon|ma|ce|le|la)\b",
    ),
}
WHOLE: dict[str, frozenset[str]] = {
    "en": frozenset(
        {"terminate", "i terminate", "termination", "i hereby terminate", "we terminate", "please terminate"}
    ),
    "nl": frozenset(
        {"opzeggen", "opzegging", "ik zeg op", "zeg op", "wij zeggen op", "graag opzeggen", "ik wil opzeggen"}
    ),
    "de": frozenset({"ich kündige", "kündigung", "hiermit kündige ich"}),
    "fr": frozenset({"je résilie", "résiliation"}),
}

# Said by people who do leave; looked away from before doubts are searched for, never inside the words that terminate.
BENIGN = re.compile(
    r"\b(?:(?:do|does|can|could|will)\s?(?:not|n't)\s+(?:agree|accept|consent|support)|(?:don't|can't|cannot|won't)\s+"
    r"(?:agree|accept|consent|support)|not\s+agree\b|no\s+longer\s+(?:wish|want|need|agree|accept|use)|would\s+like|"
    r"let\s+me\s+know\s+if\s+you\s+need\s+(?:anything|something)\s*(?:else|more)?|without\s+delay|not\s+acceptable|"
    r"(?:ga|gaan|ben|zijn)\s+(?:(?:ik|wij|we|het|er|hier|daar)\s+)*(?:niet|geenszins)\s+(?:(?:mee|meer|langer)\s+)*"
    r"(?:akkoord|eens)|niet\s+(?:mee\s+|meer\s+)?(?:akkoord|eens)\b|niet\s+accept\w+|accepteer\s+(?:ik\s+)?(?:\w+\s+){0,3}niet|"
    r"zou(?:den)?\s+(?:(?:ik|wij|we|hierbij)\s+)?graag|geen\s+vertrouwen\s+meer|nicht\s+einverstanden|"
    r"ne\s+suis\s+pas\s+d'accord|n'accepte\s+pas)\b"
)
NEGATION = re.compile(
    r"\b(?:not|never|no|without|\w+n't|cannot|dont|wont|niet|nooit|geen|noch|nicht|kein\w*|nie|ne|n'\w+|pas|jamais|none)\b"
)
DOUBT: dict[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:if|unless|whether|until|except|should|could|can|might|may|maybe|perhaps|possibly|probably|consider|"
        r"considering|think|thinking|before|otherwise|else|joke|joking|kidding|lol|ha(?:ha)+|ignore|disregard|mistake\w*|"
        r"accident\w*|withdraw|revoke|undo|reactivate|reinstate|husband|wife|mother|father|mom|mum|dad|son|daughter|"
        r"colleague|client|customer|behalf|friend|boss|said|says|told|asked|asks|already|almost|nearly|when|instead|how|"
        r"what|why|who|which|will|going\s+to|gonna|next\s+year|was|were|would|example|quote|newsletters?|mailing|"
        r"marketing|only|just|but|however|although|though|suppose|imagine|tempted|threat\w*|unsubscribe|order|meeting|"
        r"sure|right|yeah)\b"
    ),
    "nl": re.compile(
        r"\b(?:als|indien|tenzij|mits|of|zou|zouden|misschien|wellicht|mogelijk|eventueel|overweeg|overwegen|twijfel\w*|"
        r"voordat|anders|grapje|ha(?:ha)+|lol|negeer|ongeluk|vergissing|intrek\w*|trek|herroep|toch|moeder|vader|man|"
        r"vrouw|zoon|dochter|collega|klant|namens|vriend|vriendin|baas|zei|zegt|gezegd|gevraagd|al|bijna|wanneer|hoe|"
        r"wat|waarom|wie|welke|kan|kunnen|kun|mag|zal|zullen|ga|gaan|volgend\s+jaar|nieuwsbrie\w+|mailing|alleen|"
        r"slechts|maar|echter|hoewel|voorbeeld|stel|dreig\w*|pas|uitschrijven|afmelden|bestelling|afspraak|zogenaamd|tot)\b"
    ),
    "de": re.compile(
        r"\b(?:wenn|falls|ob|vielleicht|würde|könnte|sollte|aber|nur|warum|wie|was|wann|kann|bevor|sonst|newsletter|"
        r"namens|auftrag|mann|frau|mutter|vater|werde|oder|noch)\b"
    ),
    "fr": re.compile(
        r"\b(?:si|peut-être|sauf|mais|comment|pourquoi|quand|pourrais|voudrais|avant|sinon|seulement|newsletter|nom|"
        r"mari|femme|mère|père|vais|ou|que)\b"
    ),
}
TOPIC = re.compile(
    r"\b(?:terminat\w+|cancel\w*|opzeg\w*|opgezegd|op\s+te\s+zeggen|be[ëe]indig\w*|stopzet\w*|annule\w*|kündig\w*|gekündigt|"
    r"résili\w*|(?:close|end|quit|stop|leave)\s+(?:\w+\s+){0,3}(?:account|contract|agreement|subscription|service)|"
    r"discontinue|zeg(?:gen)?\b[^.!?]{0,80}\bop)\b"
)
QUESTION = re.compile(
    r"\?|^\W*(?:(?:dear|hi|hello|hallo|beste|hoi|geachte)\b[^\n,]{0,60}[,\n]\s*)?(?:what|how|when|where|which|who|why|can|"
    r"could|does|do\s+(?:i|you|we)|is\s+(?:it|there|this)|are\s+(?:you|there)|may\s+i|wat|hoe|wanneer|waar|waarom|welke|"
    r"wie|kan|kunt|kunnen|mag|klopt|is\s+(?:het|er|dit)|heeft|wie|was|wann|warum|wo|kann|comment|quand|pourquoi|est-ce)\b|"
    r"\b(?:i\s+(?:have\s+a|was)\s+(?:question|wondering)|i\s+wonder|please\s+(?:explain|clarify)|"
    r"ik\s+(?:heb\s+een\s+vraag|vraag\s+me\s+af|wil\s+graag\s+weten|begrijp\s+niet)|kunt\s+u|kun\s+je|kunnen\s+jullie)\b"
)
RIGHTS = re.compile(
    r"\b(?:gdpr|avg|dsgvo|rgpd|data\s+subject|subject\s+access|right\s+(?:of|to)\s+(?:access|erasure|rectification|object|"
    r"be\s+forgotten|data\s+portability)|recht\s+(?:op|van)\s+(?:inzage|vergetelheid|verwijdering|rectificatie|bezwaar|"
    r"dataportabiliteit)|inzageverzoek|verwijderverzoek|vergeten\s+te\s+worden|droit\s+d'accès|auskunft)\b|"
    r"\b(?:access|copy|delete|erase|remove|correct|rectify|export|overview|see)\b[^.!?]{0,60}\b(?:my|our)\s+(?:\w+\s+){0,2}"
    r"(?:data|information|details)\b|\b(?:what|which)\s+(?:personal\s+)?(?:data|information)\b[^.!?]{0,40}\b(?:me|us)\b|"
    r"\b(?:inzage|kopie|overzicht|verwijder\w*|wis|wissen|corrigeer|corrigeren|rectificeer|wijzig\w*|exporteer)\b[^.!?]{0,60}"
    r"\b(?:persoons)?gegevens\b|\b(?:persoons)?gegevens\b[^.!?]{0,60}\b(?:verwijder\w*|wissen|inzien|corrigeren|"
    r"wijzigen|over\s+mij|van\s+mij)\b|\bmeine\s+(?:\w+\s+)?daten\b[^.!?]{0,40}\blöschen\b|\bsupprimer\s+mes\s+données\b"
)
LEAVE_WHOLE = frozenset(
    {"unsubscribe", "unsubscribe me", "please unsubscribe", "please unsubscribe me", "unsubscribe please",
     "uitschrijven", "graag uitschrijven", "uitschrijven svp", "uitschrijven graag", "afmelden", "graag afmelden",
     "afmelden svp", "schrijf mij uit", "schrijf me uit", "meld mij af", "meld me af", "abmelden", "bitte abmelden",
     "désabonner", "me désabonner", "désinscription", "desinscription", "darme de baja", "remove me from this list",
     "remove me from your list", "remove me from your mailing list", "take me off this list"}
)  # fmt: skip
NEWSLETTER = re.compile(
    r"\b(?:newsletters?|nieuwsbrie(?:f|ven)|mailing\s?lists?|mailinglijst|marketing\s?e?-?mails?|reclame)\b"
)
LEAVE_VERB = re.compile(
    r"\b(?:unsubscribe|uitschrij\w+|afmeld\w*|meld\s+m(?:ij|e)\s+af|schrijf\s+m(?:ij|e)\s+uit|stop|remove|no\s+more|no\s+longer|"
    r"(?:do\s+not|don't)\s+(?:want|wish|send)|geen\b[^.!?]{0,40}\bmeer|niet\s+meer|cancel|opzeggen|abmelden|abbestellen)\b"
)
CONTRACT = re.compile(r"\b(?:accounts?|agreement|contract|overeenkomst|terminat\w+|be[ëe]indig\w*|vertrag|contrat)\b")
COURTESY = re.compile(
    r"^(?:(?:dear|hi|hello|hallo|beste|hoi|geachte|hey|l\.?s\.?|goedemorgen|goedemiddag|goedendag)\b[^\n]{0,60}\n+)|"
    r"\n+\s*(?:(?:kind|best|warm)?\s*regards|met\s+(?:vriendelijke|hartelijke)\s+groet\w*|(?:hartelijke\s+)?groet\w*|mvg|"
    r"vriendelijke\s+groet\w*|sincerely|thanks|thank\s+you|bedankt|cheers|gruß|mit\s+freundlichen\s+grüßen|cordialement)"
    r"\b[^\n]{0,60}(?:\n+[^\n]{1,40}){0,2}\s*$|(?<=\S)\s+(?:thanks|thank\s+you|bedankt|dank\s+u|alvast\s+bedankt|dank)\W*$"
)
DISCLAIMER = re.compile(
    r"\n\s*\n(?=[^\n]{0,200}(?:intended\s+(?:recipient|solely)|confidential|vertrouwelijk|bestemd\s+voor\s+de\s+geadresseerde|"
    r"disclaimer)).*\Z",
    re.DOTALL,
)
QUOTES = re.compile("[\"“”„«»]|(?:^|\\s)'\\w")
ASKED = re.compile(r"[^.!?]{0,300}\?")
LETTER = re.compile(r"[^\W\d_]")
