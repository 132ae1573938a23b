"""The phrases by which people claim their rights to their own data (GDPR art. 7(3), 12-22); read by `wording`.

For lower-case text with straight apostrophes. Gaps are bounded, so that no text makes a search slow.
"""

import re

_GAP = r"[^.!?]{0,60}"

_ANY = (r"\b(?:gdpr|avg|dsgvo|rgpd)\b",)
_EN_DATA = r"(?:my|our)\s+(?:\w+\s+){0,2}(?:data|information|details|records?)"
_EN_KNOWN = (
    r"(?:(?:everything|all|whatever|anything)\s+(?:that\s+)?you\s+(?:know|have|hold|store)|"
    r"(?:data|information)\s+(?:that\s+)?you\s+(?:have|hold|store|keep))"
)
_ENGLISH = (
    r"\b(?:data\s+subject|subject\s+access|right\s+(?:of|to)\s+(?:access|erasure|rectification|object|be\s+forgotten|"
    r"(?:data\s+)?portability))\b",
    rf"\b(?:access|copy|copies|delete|erase|remove|wipe|correct|rectify|amend|export|overview|see|stop\s+(?:processing|"
    rf"using)|restrict)\b"
    rf"{_GAP}\b{_EN_DATA}\b",
    rf"\b(?:delete|erase|remove|send|give|provide|copy|access)\b{_GAP}\b{_EN_KNOWN}\b",
    rf"\b(?:what|which)\s+(?:personal\s+)?(?:data|information)\b{_GAP}\b(?:me|us)\b",
    rf"\b(?:object|withdraw\s+my\s+consent)\b{_GAP}\b(?:processing|profiling|use\s+of|data)\b",
    rf"\b(?:rectify|correct)\s+my\b{_GAP}\b(?:records?|files?|data|system)\b",
    r"\bbe\s+forgotten\b",
    r"\bwhere\s+did\s+you\s+(?:get|obtain|find)\s+my\b",
)
_NL_DATA = r"(?:\w*gegevens|data|informatie)"
_DUTCH = (
    r"\b(?:recht\s+(?:op|van)\s+(?:inzage|vergetelheid|verwijdering|rectificatie|bezwaar|(?:data)?portabiliteit|"
    r"dataportabiliteit)|"
    r"inzageverzoek|verwijderverzoek|dataportabiliteit|vergeten\s+te\s+worden)\b",
    rf"\b(?:inzage|kopie|overzicht|verwijder\w*|wis|wissen|corrigeer|corrigeren|rectific\w*|wijzig\w*|exporteer|"
    rf"exporteren)\b{_GAP}"
    r"\b(?:persoons)?gegevens\b",
    rf"\b(?:mijn|onze|al(?:le)?)\b{_GAP}\b{_NL_DATA}\s+{_GAP}\b(?:verwijder\w*|wissen|gewist|vernietig\w*|inzien|"
    rf"corrigeren|wijzigen|opvragen)\b",
    r"\b(?:persoons)?gegevens\b[^.!?]{0,60}\b(?:verwijder\w*|wissen|gewist|vernietig\w*|inzien|corrigeren|wijzigen|"
    r"over\s+mij|van\s+mij)\b",
    rf"\bwelke\s+{_NL_DATA}\b{_GAP}\b(?:mij|me|ons)\b",
    rf"\brectificatie\s+van\s+(?:mijn|onze)\b|\bbezwaar\b{_GAP}\b(?:verwerking|profilering|gegevens)\b",
    rf"\btrek\b{_GAP}\btoestemming\b{_GAP}\bin\b",
    rf"\bwaar\s+(?:hebben|heeft|haalt|halen)\s+(?:jullie|u)\s+mijn\b{_GAP}\bvandaan\b",
)
_GERMAN = (
    r"\bauskunft\s+(?:über|nach|gemäß)\b|\bauskunft\b[^.!?]{0,60}\bdaten\b|\brecht\s+auf\s+(?:auskunft|löschung|"
    r"berichtigung|vergessenwerden|"
    r"datenübertragbarkeit)\b",
    rf"\b(?:löschen|lösche|löschung|berichtigen|berichtigung|korrigieren)\b{_GAP}\b(?:meiner?|"
    rf"unserer?)\s+(?:\w+\s+)?daten\b",
    rf"\b(?:meine|unsere)\s+(?:\w+\s+)?daten\b{_GAP}\b(?:löschen|gelöscht|berichtigen|korrigieren|einsehen)\b",
    rf"\bwelche\s+(?:\w+\s+)?daten\b{_GAP}\b(?:mich|mir|uns)\b",
    rf"\b(?:widerspreche|widerspruch)\b{_GAP}\b(?:verarbeitung|daten)\b",
)
_FRENCH = (
    r"\bdroit\s+(?:d'accès|à\s+l'oubli|à\s+l'effacement|de\s+rectification|d'opposition|à\s+la\s+portabilité)\b",
    rf"\b(?:supprimer|supprimez|effacer|effacez|rectifier|corriger|accéder\s+à|accès\s+à|"
    rf"copie\s+de)\b{_GAP}\bmes\s+(?:\w+\s+)?données\b",
    rf"\bquelles\s+(?:\w+\s+)?données\b{_GAP}\b(?:moi|nous)\b",
    rf"\b(?:m'oppose|nous\s+opposons)\b{_GAP}\b(?:traitement|données)\b",
)
RIGHTS = re.compile("|".join((*_ANY, *_ENGLISH, *_DUTCH, *_GERMAN, *_FRENCH)))
