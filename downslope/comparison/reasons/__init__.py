"""The causes that a comparison looks for: one file, one cause; the folder is the list."""

from downslope.core.catalogue import Catalogue

catalogue = Catalogue(__name__, "cause")
