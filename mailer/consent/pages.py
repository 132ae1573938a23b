"""What the unsubscribe and preference pages say, in the languages of our mails."""

from __future__ import annotations

WORDS = {
    "en": {
        "leave_title": "Leave our newsletters",
        "leave_lead": "Press the button and {company} sends you no more newsletters.",
        "leave_button": "Unsubscribe",
        "essential": "Essential messages continue: those about your account, and about changes to the terms you live "
        "under. They are part of the service and carry no promotion.",
        "left_title": "You have left our newsletters",
        "left_lead": "We send you no more newsletters. It holds from this moment.",
        "stopped": "What has stopped",
        "goes_on": "What goes on",
        "undo_lead": "Pressed by mistake?",
        "undo_button": "Undo: keep sending me newsletters",
        "choose": "Choose topics",
        "mistake": "Already left, and it was a mistake?",
        "undone_title": "Taken back",
        "undone_lead": "All is as it was before you pressed the button.",
        "preferences_title": "What you get from us",
        "preferences_lead": "Tick what you want to read. Everything else stops at once.",
        "topics": "Newsletters",
        "save": "Save my choice",
        "saved": "Saved. What is ticked below comes; nothing else does.",
        "always": "What always comes",
        "no_topics": "There are no newsletters to choose from at present.",
        "third_party": "A customer of ours entered your address. It is never used for newsletters, "
        "so there is nothing to choose.",
        "erased": "If your data with us was erased, nothing is kept of this page and no newsletter comes.",
    },
    "nl": {
        "leave_title": "Afmelden voor onze nieuwsbrieven",
        "leave_lead": "Druk op de knop en {company} stuurt u geen nieuwsbrieven meer.",
        "leave_button": "Afmelden",
        "essential": "Noodzakelijke berichten blijven komen: over uw account en over wijzigingen van de voorwaarden "
        "die voor u gelden. Ze horen bij de dienst en bevatten geen reclame.",
        "left_title": "U bent afgemeld voor onze nieuwsbrieven",
        "left_lead": "Wij sturen u geen nieuwsbrieven meer. Dat geldt vanaf dit moment.",
        "stopped": "Wat is gestopt",
        "goes_on": "Wat doorgaat",
        "undo_lead": "Per ongeluk gedrukt?",
        "undo_button": "Ongedaan maken: stuur mij nieuwsbrieven",
        "choose": "Zelf onderwerpen kiezen",
        "mistake": "Al afgemeld, en was dat een vergissing?",
        "undone_title": "Ongedaan gemaakt",
        "undone_lead": "Alles is weer zoals voordat u op de knop drukte.",
        "preferences_title": "Wat u van ons krijgt",
        "preferences_lead": "Vink aan wat u wilt lezen. Al het andere stopt meteen.",
        "topics": "Nieuwsbrieven",
        "save": "Mijn keuze bewaren",
        "saved": "Bewaard. Wat hieronder is aangevinkt, krijgt u; verder niets.",
        "always": "Wat altijd komt",
        "no_topics": "Er zijn op dit moment geen nieuwsbrieven om uit te kiezen.",
        "third_party": "Een klant van ons heeft uw adres ingevoerd. Het wordt nooit voor nieuwsbrieven gebruikt; "
        "er valt dus niets te kiezen.",
        "erased": "Als uw gegevens bij ons zijn gewist, wordt van deze pagina niets bewaard en komt er geen "
        "nieuwsbrief.",
    },
}
LANGUAGES = tuple(WORDS)
