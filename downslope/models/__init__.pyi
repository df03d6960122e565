"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.models.linear import Linear as Linear
from downslope.models.mlp import Mlp as Mlp

catalogue: Catalogue  # models
