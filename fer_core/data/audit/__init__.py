"""What is wrong with a dataset: class imbalance, duplicates, leakage, outliers, label noise."""

from fer_core.data.audit.report import AuditReport, audit

__all__ = ["AuditReport", "audit"]
