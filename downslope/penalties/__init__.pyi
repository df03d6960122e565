"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.penalties.elastic_net import ElasticNet as ElasticNet
from downslope.penalties.l1 import L1 as L1
from downslope.penalties.l2 import L2 as L2

catalogue: Catalogue  # penalties
