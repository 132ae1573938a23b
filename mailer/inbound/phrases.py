"""The phrases by which people ask and leave the newsletters; read by `wording`.

All are for lower-case text with straight apostrophes. Gaps are bounded, so that no text makes a search slow.
"""

import re

TOPIC = re.compile(
    r"\b(?:terminat\w+|cancel\w*|opzeg\w*|opgezegd|op\s+te\s+zeggen|be[ëe]indig\w*|stopzet\w*|annule\w*|kündig\w*|"
    r"gekündigt|"
    r"résili\w*|(?:close|end|quit|stop|leave)\s+(?:\w+\s+){0,3}(?:account|contract|agreement|subscription|service)|"
    r"discontinue|zeg(?:gen)?\b[^.!?]{0,80}\bop)\b"
)
QUESTION = re.compile(
    r"\?|^\W*(?:(?:dear|hi|hello|hallo|beste|hoi|geachte)\b[^\n,]{0,60}[,\n]\s*)?(?:(?:what|how)(?!\s+(?:you|a|an)\b)|"
    r"when(?!\s+you)|where|which|who|why|can|"
    r"could|does|do\s+(?:i|you|we)|is\s+(?:it|there|this)|are\s+(?:you|there)|may\s+i|(?:wat|hoe)(?!\s+(?:jullie|u|"
    r"een)\b)|wanneer|waar|waarom|welke|"
    r"wie|kan|kunt|kunnen|mag|klopt|is\s+(?:het|er|dit)|heeft|wie|wann|warum|wo|kann|comment|quand|pourquoi|est-ce)\b|"
    r"\b(?:i\s+(?:have\s+a|was)\s+(?:question|wondering)|i\s+wonder|please\s+(?:explain|clarify)|"
    r"(?:hoor|hoort|weten)\s+(?:ik\s+|wij\s+)?(?:graag\s+)?(?:van\s+\w+\s+)?of\b|vraagje|let\s+(?:me|"
    r"us)\s+know\s+whether|"
    r"ik\s+(?:heb\s+een\s+vraag|vraag\s+me\s+af|wil\s+graag\s+weten|begrijp\s+niet)|kunt\s+u|kun\s+je|"
    r"kunnen\s+jullie)\b"
)
POLITE = re.compile(
    r"\b(?:please|pls|plz|kindly|svp|s\.v\.p\.?|aub|a\.u\.b\.?|graag|alsjeblieft|alstublieft|bitte|thanks|thank\s+you|"
    r"thx|"
    r"(?:alvast\s+)?bedankt|dank(?:\s+u|\s+je)?|danke|merci|per\s+direct|direct|meteen|immediately|now|nu)\b"
)
"""Words that a request is the same without."""
LEAVE_WHOLE = frozenset(
    {"unsubscribe", "unsubscribe me", "unsubscribe this address", "remove", "remove me", "opt out", "opt-out",
     "uitschrijven", "afmelden", "uitschrijving", "afmelding", "schrijf mij uit", "schrijf me uit", "meld mij af",
     "meld me af", "mij uitschrijven", "mij afmelden", "abmelden", "mich abmelden", "abbestellen", "désabonner",
     "désabonnez-moi", "me désabonner", "désinscription", "desinscription", "darme de baja", "de me désabonner",
     "remove me from this list", "remove me from your list", "remove me from your mailing list",
     "take me off this list", "take me off your list", "stop mailing me", "stop emailing me", "stop e-mailing me"}
)  # fmt: skip
"""What leaves the newsletters when it is all that was said, without polite words."""
NEWSLETTER = re.compile(
    r"\b(?:newsletters?|news\s+letters?|nieuwsbrie(?:f|ven)|mailing\s?lists?|mailinglijst|verzendlijst|maillijst|"
    r"verteiler|"
    r"liste\s+de\s+diffusion|infolettre|marketing\s?e?-?mails?|promotional\s+(?:e-?)?mails?|reclame|aanbiedingen|"
    r"werbung|publicité)\b"
)
LEAVE_VERB = re.compile(
    r"\b(?:unsubscribe|uitschrij\w+|afmeld\w*|meld\s+(?:m(?:ij|e)|ons)\b[^.!?]{0,60}\baf|schrijf\s+(?:m(?:ij|e)|"
    r"ons)\b[^.!?]{0,60}\buit|"
    r"(?:haal|verwijder)\s+(?:m(?:ij|e)|ons|mijn)|stop|remove|take\s+(?:me|us|my|our)\b[^.!?]{0,40}\boff|no\s+(?:more|"
    r"further)|"
    r"no\s+longer|(?:do\s+not|don't)\s+(?:want|wish|send)(?!\s+to\s+(?:miss|lose))|geen\b[^.!?]{0,40}\bmeer|"
    r"niet\s+(?:meer|langer)|keine?n?\b[^.!?]{0,40}\bmehr|aus\s+dem\s+verteiler|d[ée]sabonner|ne\s+(?:\w+\s+)?plus|"
    r"cancel|"
    r"opzeggen|abmelden|abbestellen|darme\s+de\s+baja)\b"
)
CONTRACT = re.compile(r"\b(?:accounts?|agreement|contract|overeenkomst|terminat\w+|be[ëe]indig\w*|vertrag|contrat)\b")
# Not the newsletter alone: what else is meant is for a person to say.
ALSO = re.compile(r"\b(?:ook|also|too|as\s+well|everything|alles|auch|aussi|tout)\b")
# A company's own paragraph below the mail; two marks and some length, so that no person's sentence is taken for one.
DISCLAIMER = re.compile(
    r"\n\s*\n(?=[\s\S]{0,300}(?:confidential|vertrouwelijk|vertraulich|privileged|disclaimer))"
    r"(?=[\s\S]{0,600}(?:recipient|addressee|geadresseerde|bestemd\s+voor|intended|empfänger))[\s\S]{100,}\Z",
    re.IGNORECASE,
)
QUOTES = re.compile("[\"“”„«»]|(?:^|\\s)'\\w")
