"""The words that bear on the seven questions, and those that turn or bind a sentence: English, Dutch, German."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailer.policies.advice.model import Cue
from mailer.policies.diff.cues import MODALS, NEGATIONS

ANY_ENDING = r"\w*"


def words_of(listed: str) -> re.Pattern[str]:
    """Whole words and phrases of any case, written with ` | ` between; `*` stands for any ending."""
    phrases = "|".join(" ".join(listed.split()).split(" | "))
    return re.compile(rf"\b(?:{phrases.replace('*', ANY_ENDING)})\b", re.IGNORECASE)


def word_set(listed: str) -> frozenset[str]:
    """Single words, written with spaces between."""
    return frozenset(listed.split())


RESTRICTIONS = word_set(
    """
    only unless except excluding without solely exclusively
    alleen enkel tenzij behalve uitgezonderd zonder uitsluitend
    nur ohne außer ausgenommen ausschließlich lediglich
    """
)
MODAL_FORCE: Mapping[str, str] = {
    word: force
    for force, words in {
        "may": "may might can could mag mogen mocht mochten kan kunnen kon konden "
        "darf dürfen durfte kann können konnte könnte",
        "must": "must shall moet moeten moest moesten muss müssen musste soll sollen",
        "should": "should ought behoort behoren sollte sollten",
        "will": "will would zal zullen zou zouden",
    }.items()
    for word in words.split()
}
"""Modal verbs by how much they bind."""

THEME_WORDS: Mapping[Cue, re.Pattern[str]] = {
    Cue.RETENTION: words_of(
        r"""
        retain* | retention | keep(?:s|ing)? | kept | stor(?:e|es|ed|ing|age) | delet* | eras(?:e|es|ed|ing|ure) |
        destroy* | anonymi[sz]* | indefinite* | forever | permanently | back-?ups? | archiv* | preserv* | bewaar* |
        bewaren | bewaard | opslaan | opgeslagen | opslag | verwijder* | wissen | gewist | vernietig* | anonimiser*
        | geanonimiseerd | onbepaalde tijd | speicher* | gespeichert* | aufbewahr* | lösch* | gelöscht* | vernicht*
        | anonymisier* | unbefristet | dauerhaft
        """
    ),
    Cue.TRANSFERS: words_of(
        r"""
        transfer* | onward | cross-?border | eea | eu | european (?:union|economic area) | third countr(?:y|ies) |
        united states | standard contractual clauses | adequacy | privacy shield | data privacy framework | binding
        corporate rules | doorgifte* | derde landen | europese (?:unie|economische ruimte) | verenigde staten |
        (?:standaard|model)contractbepalingen | adequaatheids* | ewr | europäisch* (?:union|wirtschaftsraum*) |
        drittl[aä]nd* | drittstaat* | datenübermittlung* | vereinigte* staaten | standardvertragsklauseln |
        angemessenheits*
        """
    ),
    Cue.RECIPIENTS: words_of(
        r"""
        third part(?:y|ies) | sub-?processors? | processors? | shar(?:e|es|ed|ing) | disclos* | sell(?:s|ing)? |
        sold | rent(?:s|ed|ing)? | recipients? | partners? | affiliates? | vendors? | providers? | subcontractors? |
        advertisers? | on our behalf | law enforcement | public authorit(?:y|ies) | government* | court* orders? |
        subpoenas? | warrants? | derden | derde partij(?:en)? | (?:sub)?verwerkers? | delen | gedeeld | verstrek* |
        deelt | geeft door | doorgeven | doorgegeven | verko(?:op|pen|cht)* | ontvangers? | dienstverleners? |
        leveranciers? | adverteerders? | opsporings* | overheids* | gerechtelijk* | dritte[nr]? |
        (?:unter)?auftragsverarbeiter* | weiter(?:geben|gegeben|gabe|gibt) | übermittel* | offen(?:leg|geleg)* |
        verkauf* | empfänger* | dienstleister* | behörde* | strafverfolgung* | gericht*
        """
    ),
    Cue.EXERCISE: words_of(
        r"""
        (?:your|these|those|their|the) rights? | rights? (?:to|of) | requests? | complain* | object(?:ion|ions|ing)?
        to | rectif* | portab* | opt(?:s|ed|ing)?[- ]?(?:out|in) | unsubscrib* | withdraw* | (?:supervisory|data
        protection) authorit(?:y|ies) | verif(?:y|ies|ication) (?:of )?(?:your|their|the) identity | authori[sz]ed
        agents? | exercis* | cancel* | terminat* | refund* | rechten | recht (?:op|om) | verzoek* | klacht* |
        bezwaar | inzage | rectificatie | overdraagbaar* | afmeld* | intrekk* | toezichthoud* | autoriteit
        persoonsgegevens | opzeg* | recht auf | ihre rechte | betroffenenrecht* | anträge? | antrag | beschwerde* |
        widerspr* | widerruf* | auskunft* | berichtigung* | übertragbarkeit | abmeld* | aufsichtsbehörde* | kündig*
        """
    ),
    Cue.CONTROLLER: words_of(
        r"""
        controllers? | (?:we|is|are|remains?) (?:jointly )?responsible for | operated by | owned by | acquir* |
        acquisition | merg(?:e|es|ed|er|ers) | successors? | data protection officer |
        verwerkingsverantwoordelijke* | functionaris voor | fusie* | overgenomen | verantwortlich* |
        datenschutzbeauftragt* | übernahme | verschmelz*
        """
    ),
    Cue.DUTIES: words_of(
        r"""
        (?:you|users?|customers?|members?) (?:\w+ )?(?:must|shall|may not|cannot|agree|need to|are required|are
        responsible|are liable|waive) | required to | you hereby | third parties may not | prohibit* | forbidden |
        not (?:be )?(?:permitted|allowed) | oblig* | liab* | waiv* | indemnif* | fees? | pay(?:s|able|ment|ments)? |
        charg(?:e|es|ed|ing) | prices? | arbitrat* | u (?:moet|dient|mag niet|stemt|bent verplicht|gaat akkoord) |
        verplicht* | verboden | aansprakelijk* | betal* | kosten | vergoeding* | tarie* | vrijwaar* | sie
        (?:müssen|dürfen nicht|stimmen|verpflichten|sind verpflichtet) | verpflicht* | verboten | untersagt |
        haft(?:en|et|ung|bar)* | zahl(?:en|t|ung|ungen) | gebühr* | preise?
        """
    ),
    Cue.PURPOSES: words_of(
        r"""
        purposes? | us(?:e|es|ed|ing) | collect* | process(?:es|ed|ing)? | marketing | advertis* |
        analy(?:tics|sis|[sz]e[sd]?|[sz]ing) | profil(?:e|es|ing) | personali[sz]* | recommendations? |
        track(?:s|ed|ing)? | cookies? | legitimate interests? | (?:legal|lawful) bas(?:is|es) | consent* | evaluat*
        | scan(?:s|ned|ning)? | monitor* | (?:train(?:ing)?|develop(?:ing)?) (?:our |any |the )?(?:\w+ )*models? |
        artificial intelligence | machine learning | automated | doel(?:en|einden?)? | gebruik* | reclame |
        adverten* | analys(?:e|es|eren|eert) | profiler* | personaliser* | gerechtvaardigd* belang* | grondslag* |
        toestemming* | verzamel* | verwerk(?:en|t|ing|ingen) | zweck* | verwend* | nutz(?:en|t|ung) | werbung |
        werbe* | analysier* | personalisier* | berechtigt* interesse* | rechtsgrundlage* | einwillig* |
        erheb(?:en|t|ung) | verarbeit*
        """
    ),
}

DATA_WORDS = words_of(
    r"""
    data | information | personal | privacy | account* | email | e-mail | address* | gegevens | persoonsgegevens
    | informatie | daten | personenbezogen* | konto
    """
)
BARE_USE = words_of("us(?:e|es|ed|ing) | gebruik* | verwend* | nutz(?:en|t|ung)")
"""Words of use, which in a sentence without data speak of using the service."""

LEGAL_FORM = words_of(r"llc | inc | ltd | plc | gmbh | ag | b\.?v | n\.?v | s\.?a")
WEIGHTLESS = word_set("a an the of that de het een der die das dem den des ein eine einen einem einer eines")
"""Words whose coming or going changes nothing."""

REFERENCES = word_set(
    """
    section sections paragraph clause chapter article above below
    hoofdstuk artikel lid paragraaf hierboven hieronder
    abschnitt absatz ziffer kapitel oben unten
    """
)
DATE_LINE = re.compile(
    r"(?:this \w+ (?:was )?)?(?:last )?(?:updated?|modified|revised|changed|reviewed)\b"
    r"|effective(?: date| as of| from)?\b|date\b|version\b"
    r"|(?:voor het )?laatst (?:bijgewerkt|gewijzigd|aangepast)|laatste wijziging|ingangsdatum|versie\b|datum\b"
    r"|stand\b|zuletzt (?:aktualisiert|geändert)|letzte (?:aktualisierung|änderung)|gültig ab|fassung vom",
    re.IGNORECASE,
)


def force_of(word: str) -> str:
    """How much a modal verb binds: may, must, should, or nothing."""
    return MODAL_FORCE.get(word, "")


def is_negation(word: str) -> bool:
    """A word that turns a sentence round or narrows it."""
    return word in NEGATIONS or word in RESTRICTIONS


def is_modal(word: str) -> bool:
    return word in MODALS
