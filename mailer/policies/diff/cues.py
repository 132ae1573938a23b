"""Words by what they weigh in a legal text: English, Dutch, German."""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


NEGATIONS = _words(
    """
    no not never none nor neither nobody nothing nowhere cannot without unless except excluding only
    don't doesn't didn't won't can't isn't aren't wasn't weren't shouldn't wouldn't couldn't mustn't haven't hasn't
    niet geen nooit niemand niets noch nergens zonder tenzij behalve uitgezonderd alleen enkel
    nicht nichts kein keine keinen keiner keines keinem nie niemals niemand weder ohne außer ausgenommen nur
    """
)
MODALS = _words(
    """
    may might must shall should will would can could ought need
    mag mogen mocht mochten moet moeten moest moesten kan kunnen kon konden zal zullen zou zouden hoeft hoeven
    darf dürfen durfte muss müssen musste kann können konnte soll sollen sollte wird werden würde
    """
)
STOP_WORDS = _words(
    """
    a an the this that these those and or of to in on at by for from with as into about under
    is are was were be been being has have had do does did it its we our us you your they their them he she his her
    who which what when where how if then than so such also
    de het een deze dit die dat en of van aan op bij voor naar met als in te om over onder uit tot door
    is zijn was waren wordt worden heeft hebben had er u uw wij we ons onze zij ze hun hen hij wie wat waar hoe dan ook
    der das den dem des ein eine einen einer eines einem und oder von zu im auf für mit als aus bei nach durch über
    ist sind war waren hat haben hatte es sie ihr ihre ihren wir uns unser unsere er sich auch
    """
)


def is_precious(token: str) -> bool:
    """A negation, modal verb, number, date or link target: what clean-up may never swallow."""
    word = token.lower().replace("’", "'")
    return word in NEGATIONS or word in MODALS or token.startswith("⟨") or any(char.isdigit() for char in token)
