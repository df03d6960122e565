"""The contract of a penalty."""

import abc
from typing import ClassVar

from jaxtyping import Array, Float

from downslope.core.about import AboutPart
from downslope.core.record import Record
from downslope.core.types import Params


class Penalty(Record):
    """What the parameters themselves cost, added to the mean loss. Biases are free."""

    about: ClassVar[AboutPart]

    @abc.abstractmethod
    def __call__(self, params: Params) -> Float[Array, ""]:
        """The cost of these parameters."""


CONTRACT = Penalty
