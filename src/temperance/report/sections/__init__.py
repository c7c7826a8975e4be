"""The blocks of the owner's outline, in their order."""

from __future__ import annotations

from temperance.report.base import Section
from temperance.report.sections.answer import Answer
from temperance.report.sections.bought import Bought
from temperance.report.sections.data import Data
from temperance.report.sections.decision import Decision
from temperance.report.sections.depends import Depends
from temperance.report.sections.duties import Duties
from temperance.report.sections.fails import Fails
from temperance.report.sections.method import Method
from temperance.report.sections.mistakes import Mistakes
from temperance.report.sections.range import Range
from temperance.report.sections.safety import Safety
from temperance.report.sections.tried import Tried
from temperance.report.sections.trust import Trust
from temperance.report.sections.using import Using

ORDER: tuple[Section, ...] = (
    Answer(),
    Trust(),
    Mistakes(),
    Decision(),
    Range(),
    Depends(),
    Data(),
    Tried(),
    Bought(),
    Fails(),
    Safety(),
    Using(),
    Duties(),
    Method(),
)
