"""Why words that end a contract may not be meant: negation, condition, third parties, jokes, second thoughts.

All patterns are for lower-case text with straight apostrophes, one sentence at a time. A doubt sends a mail to a
person; it never discards one.
"""

import re
from collections.abc import Iterator, Sequence

from mailer.inbound import leaving

MOST_WORDS = 150

_NEGATION = re.compile(
    r"\b(?:not|never|no|without|neither|nor|\w+n't|cannot|dont|wont|refuse\w*|niet|nooit|geen|noch|geenszins|weiger\w*|"
    r"nicht|"
    r"kein\w*|nie(?:mals)?|ohne|ne|n'\w+|pas|jamais|sans|none|nunca|tampoco)\b"
)
# Negations that people who leave use; looked away from before others are searched for.
_NEGATION_IN_PLACE = re.compile(
    r"\b(?:(?:do|does|did|can|could|will|am|are|is)\s?(?:not|n't)\s+(?:longer\s+)?(?:agree\w*|accept\w*|consent\w*|"
    r"support|like|want\s+this|happy|"
    r"satisfied|comfortable|suit\w*)|(?:don't|can't|cannot|won't|not)\s+(?:agree|accept|consent|support|like|happy|"
    r"comfortable)|no\s+longer|"
    r"without\s+(?:delay|further)|not\s+acceptable|niet\s+(?:langer|meer|mee)\b|niet\s+(?:mee\s+)?(?:akkoord|eens)|"
    r"niet\s+acceptabel|"
    r"niet\s+accept\w+|geen\s+(?:vertrouwen|behoefte|gebruik)\b|nicht\s+(?:mehr|länger|einverstanden)|pas\s+d'accord|"
    r"n'accepte\s+pas|"
    r"ne\s+(?:suis|sommes)\s+pas|niet\s+voort\w*|not\s+(?:to\s+)?(?:continue|proceed|renew))\b"
)
_CONDITION = re.compile(
    r"\b(?:if|unless|until|except|provided|assuming|whether|as\s+long\s+as|as\s+soon\s+as|once\s+you|in\s+case|"
    r"should\s+you|als|indien|"
    r"tenzij|mits|zolang|zodra|behalve|totdat|mocht(?:en)?|wanneer|wenn|falls|sofern|es\s+sei\s+denn|sobald|solange|si|"
    r"s'il|"
    r"à\s+moins|sauf|dès\s+que|a\s+menos)\b"
)
# "If you need anything else, call me" binds nothing.
_CONDITION_IN_PLACE = re.compile(
    r"\b(?:if|should|als|indien|mocht(?:en)?|falls|wenn|si)\b[^.!?]{0,12}?\b(?:you|u|jullie|je|er|there|sie|vous|"
    r"necessary|needed|nodig|required|"
    r"nötig|nécessaire|possible|mogelijk)\b[^.!?]{0,40}?\b(?:need|have|want|require|are|is|nog|vragen|vraag|"
    r"question\w*|nodig|anything|"
    r"heeft|hebt|hebben|zijn|fragen|questions?|besoin|necessary)?\b[^.!?]{0,40}?(?=[.!?,]|$)"
)
_HARMLESS_END = re.compile(
    r"\b(?:question|questions|vragen|vraag|nodig|need|require|details|information|informatie|contact|call|bel|"
    r"necessary|needed|possible|"
    r"mogelijk|fragen|besoin|further|anything)\b"
)
_MAYBE = re.compile(
    r"\b(?:might|(?<!\d\s)may(?!\s+\d)|maybe|perhaps|possibly|probably|likely|consider(?!\s+(?:this|my|our)\b)\w*|think|thinking|"
    r"tempted|suppose|imagine|almost|nearly|"
    r"could(?!\s+you)|would(?!\s+(?:\w+\s+)?(?:like|prefer|you))|should|must|have\s+to|had\s+to|able\s+to|going\s+to|"
    r"gonna|about\s+to|misschien|wellicht|"
    r"mogelijk|eventueel|overweeg|overwegen|twijfel\w*|waarschijnlijk|vermoedelijk|stel|bijna|"
    r"zou(?:den)?(?!\s+(?:(?:ik|wij|we|hierbij|u|je|jullie)\s+)?"
    r"(?:graag|mijn|onze?|de|het))|moet(?:en)?|mag|mogen|kan|kunnen(?!\s+(?:jullie|ons|wij|we))|vielleicht|eventuell|"
    r"würden?|könnten?|sollten?|überleg\w*|"
    r"angenommen|müssen|peut-être|envisage\w*|devrais|supposons|quizás|tal\s+vez)\b"
)
_THREAT = re.compile(
    r"\b(?:one\s+more|once\s+more|another\s+(?:mail|e-?mail|change|message)|next\s+time|last\s+warning|nog\s+(?:één|"
    r"een|1|eentje)\b|de\s+volgende\s+keer|"
    r"volgende\s+keer|laatste\s+waarschuwing|noch\s+ein\w*|nächstes\s+mal|encore\s+un\w*|la\s+prochaine\s+fois|"
    r"or\s+else|at\s+your\s+(?:own\s+)?(?:risk|peril)|op\s+eigen\s+risico|and\s+you(?:'ll|\s+(?:will|shall))|en\s+(?:u|"
    r"je|jullie)\s+(?:krijg\w*|hoor\w*|bent?|zult)|otherwise|(?<!thing\s)else|(?<!iets\s)anders|"
    r"sonst|sinon|volgend\s+jaar|next\s+year(?=[^.,]*\b(?:terminate|cancel|end)))\b"
)
_TURN = re.compile(
    r"\b(?:joke|joking|kidding|lol|ha(?:ha)+|hihi|ignore|disregard|forget\s+(?:it|that)|never\s*mind|mistake\w*|"
    r"accident\w*|withdraw\w*|"
    r"retract\w*|revoke\w*|undo|reinstate|chang\w+\s+my\s+mind|second\s+thought|after\s+all|actually|will\s+stay|"
    r"i'll\s+stay|staying|stay\s+with|"
    r"keep\s+(?:my|our|the|it|using)|grapje\w*|geintje|negeer|negeren|ongeluk|vergissing|intrek\w*|"
    r"trek\b[^.!?]{0,60}\bin\b|terugdraai\w*|"
    r"herroep\w*|toch|laat\s+maar|of\s+nee|maar\s+nee|blijf\w*|bedacht|scherz|spaß|zurück|bleiben?|doch|blague|"
    r"plaisante|"
    r"finalement|reste|sarcas\w*|ironi\w*|alleen\s+als|only\s+(?:if|when)|:-?\)|;-?\)|😉|😂|😜|🤣)(?!\w)"
)
_SARCASM = re.compile(
    r"^(?:oh[, ]|sure[,!. ]|yeah\b|right[,.]|great[,!]|wow\b|wonderful\b|ja\s+hoor|ja\s+ja|zeker[,!]|tuurlijk|"
    r"natuurlijk[,!]|geweldig[,!]|"
    r"fantastisch[,!]|super[,!]|goh\b|joh\b|na\s+klar|toll[,!]|bravo\b|bien\s+sûr[,!])"
)
_OTHERS = re.compile(
    r"\b(?:on\s+behalf|behalf\s+of|in\s+name\s+of|guardian|executor|attorney\s+for|i\s+represent|we\s+represent|namens|"
    r"gemachtigde?|curator|bewindvoerder|"
    r"vertegenwoordig\w*|im\s+(?:auftrag|namen)|betreuer\w*|au\s+nom\s+d\w*|pour\s+le\s+compte|"
    r"(?:my|our|mijn|onze?|meine[rmn]?|unsere[rmn]?|ma|mon|notre)\s+(?:\w+\s+)?(?:mother|father|mom|mum|dad|parents?|"
    r"husband|wife|partners?|son|daughter|"
    r"brother|sister|colleagues?|boss|employer|clients?(?!\s+(?:number|no|nr|id)\b)|customers?(?!\s+(?:number|no|nr|id|"
    r"ref\w*)\b)|members?|tenants?|neighbou?rs?|friends?|late\s+\w+|"
    r"moeder|vader|ouders?|man|vrouw|"
    r"zoon|dochter|broer|zus|collega'?s?|baas|werkgever|cli[ëe]nt(?:en)?|klant(?:en)?|leden|lid|buurman|buurvrouw|"
    r"vriend(?:in)?|oma|opa|tante|oom|"
    r"mutter|vater|mannes|mann|frau|kunden?|mandant\w*|kolleg\w*|mère|père|mari|femme|collègue|client)|"
    r"(?:all|three|two|some|several|many)\s+of\s+(?:our|your|my)|van\s+(?:al\s+)?(?:mijn|onze)\s+leden|passed\s+away|"
    r"deceased|overleden|verstorben|décédé\w*|"
    r"(?:his|her|their|zijn|haar|hun)\s+(?:\w+\s+)?(?:account|contract|agreement|subscription|abonnement|overeenkomst|"
    r"lidmaatschap|membership)|"
    r"(?:ihren|seinen)\s+(?:vertrag|account)|son\s+(?:contrat|compte)|"
    r"(?:account|contract|agreement|subscription|abonnement|overeenkomst)\s+(?:of|van)\s+(?:mrs?|ms|dhr|mevr\w*|mw|"
    r"de\s+heer|the\s+company|my|our|mijn|onze))\b"
)
_PART = re.compile(
    r"\b(?:only|just\s+(?:one|the)|one\s+of|two\s+of|\d+\s+(?:of|van)\s+(?:the|our|my|de|onze|mijn)|add-?on|modules?|"
    r"second|part\s+of|partially|"
    r"the\s+rest|keep|alleen|slechts|enkel|gedeeltelijk|één\s+van|de\s+rest|nur|teilweise|seulement|uniquement|partie|"
    r"extra)\b"
)
_OTHER_THING = re.compile(
    r"\b(?:newsletters?|nieuwsbrie\w+|(?:account|contract|overeenkomst|abonnement|licenties?)\s+(?:met\s+(?:de|het|een|"
    r"onze|mijn)|"
    r"van\s+(?!jullie|u\b|mij|ons|deze|\d))|in\s+(?:trac|the\s+system|het\s+systeem)|(?:two|three|some|\d+)\s+users|"
    r"gebruikers?|seats|"
    r"landlord|verhuurder|huur\w*|lease|insurance|verzekering\w*|schoonmaak\w*|cleaning|preiserhöhung)\b|"
    r"\bkündig\w*\b.*\ban\W*$"
)
_ANOTHER = re.compile(
    r"\b(?:new\s+(?:one|account|contract|agreement|subscription|plan)|upgrade|move\s+(?:me|us)\s+to|switch\s+(?:me|us)|"
    r"premium|"
    r"nieuwe?\s+(?:account|contract|abonnement|overeenkomst|licentie)|neuen?\s+(?:vertrag|account|konto)|"
    r"nouveau\s+(?:contrat|compte)|tests?|"
    r"testing|testje|april\s+fools?|1\s+april\s*grap)\b"
)
_REPORTED = re.compile(
    r"\b(?:said|says|say|tells?|told|asked|asks|wrote|writes?(?!\s+to)|quote|example|zei|zeiden|zegt\s+dat|gezegd|"
    r"gevraagd|vraagt|schrijft|schreef|"
    r"schrijven\s+(?:dat|jullie)|staat\s+(?:dat|er)|antwoorden\s+met|voorbeeld|zogenaamd|so-called|sagt|sagte|gesagt|"
    r"schreibt|steht|dit\s+que)\b"
)
_SMILE = re.compile(r"[:;]-?[)pd](?!\w)|[😉😂😜🤣😅]")
_ASKING = re.compile(
    r"\b(?:how|when|what|why|where|whether|hoe|wanneer|waarom|wat|waar|comment|quand|pourquoi|wie\s+(?:kann|ich|wir)|"
    r"wann|"
    r"warum)\b"
)
_BUT = re.compile(
    r"^\W*(?:but|however|although|though|yet|except|maar|echter|hoewel|al|behalve|tenzij|aber|jedoch|mais|sauf|pero)\b"
)
_BUT_INSIDE = re.compile(
    r"\b(?:but|however|although|though|maar(?!\s*(?:[,.!]|$))|echter|hoewel|aber|jedoch|mais|pero)\b"
)
_OR_BEFORE = {
    "en": re.compile(r"\bor\b"),
    "nl": re.compile(r"\bof\b"),
    "de": re.compile(r"\boder\b"),
    "fr": re.compile(r"\bou\b"),
}
_THEN = re.compile(r"\b(?:dan|then|dann|alors)\s*(?:,\s*)?$")
_PAST = re.compile(
    r"\b(?:already|last\s+(?:year|month|week)|vorig(?:e)?\s+(?:jaar|maand|week)|reeds|bereits|déjà|schon)\b"
)
_OPEN = re.compile(
    r"\b(?:(?:ga|gaan|ben|zijn)\s+(?:ik\s+|wij\s+|we\s+)?akkoord|i\s+(?:fully\s+)?(?:agree|accept)|"
    r"we\s+(?:agree|accept)|renew|verleng\w*|continue\s+to\s+use|einverstanden|nous\s+acceptons)\b"
)
_OPEN_NEGATED = re.compile(
    r"\b(?:niet\s+(?:\w+\s+){0,2}akkoord|(?:ga|gaan|ben|zijn)\s+(?:\w+\s+){0,3}niet|not\s+(?:\w+\s+){0,2}(?:agree|"
    r"accept|renew|continue)|"
    r"(?:don't|can't|cannot|won't)\s+(?:agree|accept)|nicht\s+einverstanden|niet\s+(?:te\s+)?verleng\w*|neither)\b"
)
_ALREADY_ASKED = re.compile(
    r"\b(?:how|why|when|what|which|who|hoe|waarom|wanneer|welke|wie|wie\s+kann|wann|warum|comment|pourquoi|quand|"
    r"at\s+any\s+time|just\s+like\s+that|zomaar|"
    r"altijd|always)\b"
)
CONFIRMATION = re.compile(
    r"\b(?:confirm\w*|acknowledg\w*|bevestig\w*|ontvangstbevestiging|bestätig\w*|confirmer|confirmez|confirmation|"
    r"accusé|receipt\s+of)\b"
)


_Named = tuple[tuple[str, re.Pattern[str]], ...]
_ANYWHERE: _Named = (
    ("another turn", _TURN),
    ("a threat", _THREAT),
    ("perhaps not in earnest", _SARCASM),
    ("perhaps not in earnest", _SMILE),
    ("for somebody else", _OTHERS),
    ("another thing instead", _ANOTHER),
)
_IN_SENTENCE: _Named = (
    *_ANYWHERE,
    ("only a part", _PART),
    ("what others say", _REPORTED),
    ("in the past", _PAST),
    ("of another thing", _OTHER_THING),
)


def in_clause(sentence: str, start: int, end: int, language: str) -> Iterator[str]:
    """The doubts in the lower-case sentence that holds the words from `start` to `end`."""
    clause = _clause(sentence, start, end)
    certain = _NEGATION_IN_PLACE.sub(" ", clause)
    for words in (sentence[start:end], certain):
        if negated := _NEGATION.search(words):
            yield f"negated: {negated[0]}"
    # "Could you close my account?" is a request, not a doubt.
    if leaving.REQUEST.search(clause) is None and (maybe := _MAYBE.search(certain)):
        yield f"not certain: {maybe[0]}"
    yield from _conditions(sentence)
    yield from _named(_IN_SENTENCE, sentence)
    yield from _beside(sentence, start, end, language)
    if _ASKING.search(clause, 0, max(0, clause.find(sentence[start:end]))):
        yield "an indirect question"


def _named(patterns: _Named, sentence: str) -> Iterator[str]:
    for what, pattern in patterns:
        if found := pattern.search(sentence):
            yield f"{what}: {found[0].strip()}"


def _beside(sentence: str, start: int, end: int, language: str) -> Iterator[str]:
    alternative = _OR_BEFORE.get(language)
    if (alternative and alternative.search(sentence, 0, start)) or _THEN.search(sentence, 0, start):
        yield "an alternative or a consequence"
    if _BUT_INSIDE.search(sentence, end):
        yield "something is added with a but"


def around(sentences: Sequence[str], at: int) -> Iterator[str]:
    """The doubts in the lower-case sentences beside the one at `at`."""
    for place, sentence in enumerate(sentences):
        if place == at:
            continue
        yield from _conditions(sentence)
        yield from _named(_ANYWHERE, sentence)
        if found := _OPEN.search(_OPEN_NEGATED.sub(" ", sentence)):
            yield f"agrees: {found[0]}"
        if place > at:
            yield from _afterwards(sentence)


def _afterwards(sentence: str) -> Iterator[str]:
    if _BUT.search(sentence):
        yield "something is added with a but"
    if len(sentence.split()) <= 4 and _NEGATION.search(_NEGATION_IN_PLACE.sub(" ", sentence)):
        yield "a negation follows"
    if found := _PART.search(sentence):
        yield f"only a part: {found[0]}"


def _conditions(sentence: str) -> Iterator[str]:
    for found in _CONDITION.finditer(sentence):
        harmless = _CONDITION_IN_PLACE.match(sentence, found.start())
        if not (harmless and _HARMLESS_END.search(sentence, found.start())):
            yield f"a condition: {found[0]}"
            return


_CUT = re.compile(
    r",|\b(?:because|since|so|and|therefore|omdat|want|daarom|dus|en|aangezien|weil|da|und|daher|car|parce|et|donc|"
    r"but|maar|aber|mais)\b"
)


def _clause(sentence: str, start: int, end: int) -> str:
    """The words from the last joint before `start` to the first after `end`."""
    begin = max((cut.end() for cut in _CUT.finditer(sentence, 0, start)), default=0)
    after = _CUT.search(sentence, end)
    return sentence[begin : after.start() if after else len(sentence)]


def is_mere_request(sentence: str) -> bool:
    """Whether a question asks nothing but to do it or to confirm it."""
    return _ALREADY_ASKED.search(sentence) is None
