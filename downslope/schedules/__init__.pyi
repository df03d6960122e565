"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.schedules.constant import Constant as Constant
from downslope.schedules.cosine import Cosine as Cosine
from downslope.schedules.linear import Linear as Linear

catalogue: Catalogue  # schedules
