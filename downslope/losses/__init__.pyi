"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.losses.absolute_error import AbsoluteError as AbsoluteError
from downslope.losses.binary_cross_entropy import BinaryCrossEntropy as BinaryCrossEntropy
from downslope.losses.crammer_singer_hinge import CrammerSingerHinge as CrammerSingerHinge
from downslope.losses.cross_entropy import CrossEntropy as CrossEntropy
from downslope.losses.hinge import Hinge as Hinge
from downslope.losses.huber import Huber as Huber
from downslope.losses.squared_error import SquaredError as SquaredError

catalogue: Catalogue  # losses
