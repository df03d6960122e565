"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.core.linear_cross_entropy import linear_cross_entropy as linear_cross_entropy
from downslope.losses.absolute_error import AbsoluteError as AbsoluteError
from downslope.losses.absolute_percentage_error import AbsolutePercentageError as AbsolutePercentageError
from downslope.losses.binary_cross_entropy import BinaryCrossEntropy as BinaryCrossEntropy
from downslope.losses.binary_focal import BinaryFocal as BinaryFocal
from downslope.losses.binary_generalised_cross_entropy import BinaryGeneralisedCrossEntropy as BinaryGeneralisedCrossEntropy
from downslope.losses.crammer_singer_hinge import CrammerSingerHinge as CrammerSingerHinge
from downslope.losses.cross_entropy import CrossEntropy as CrossEntropy
from downslope.losses.epsilon_insensitive import EpsilonInsensitive as EpsilonInsensitive
from downslope.losses.exponential import Exponential as Exponential
from downslope.losses.focal import Focal as Focal
from downslope.losses.gamma import Gamma as Gamma
from downslope.losses.gaussian_negative_log_likelihood import GaussianNegativeLogLikelihood as GaussianNegativeLogLikelihood
from downslope.losses.generalised_cross_entropy import GeneralisedCrossEntropy as GeneralisedCrossEntropy
from downslope.losses.hinge import Hinge as Hinge
from downslope.losses.huber import Huber as Huber
from downslope.losses.kullback_leibler_divergence import KullbackLeiblerDivergence as KullbackLeiblerDivergence
from downslope.losses.log_cosh import LogCosh as LogCosh
from downslope.losses.modified_huber import ModifiedHuber as ModifiedHuber
from downslope.losses.perceptron import Perceptron as Perceptron
from downslope.losses.poisson import Poisson as Poisson
from downslope.losses.quantile import Quantile as Quantile
from downslope.losses.smooth_l1 import SmoothL1 as SmoothL1
from downslope.losses.squared_epsilon_insensitive import SquaredEpsilonInsensitive as SquaredEpsilonInsensitive
from downslope.losses.squared_error import SquaredError as SquaredError
from downslope.losses.squared_hinge import SquaredHinge as SquaredHinge
from downslope.losses.squared_logarithmic_error import SquaredLogarithmicError as SquaredLogarithmicError
from downslope.losses.tweedie import Tweedie as Tweedie
from downslope.losses.weston_watkins_hinge import WestonWatkinsHinge as WestonWatkinsHinge

catalogue: Catalogue  # losses
