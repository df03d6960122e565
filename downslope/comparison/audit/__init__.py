"""Whether what a finished run claims follows from its ledger."""

from downslope.comparison.audit.audit import Audit, audit

__all__ = ["Audit", "audit"]
