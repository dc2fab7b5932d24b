"""Named tables of runs measured alike: what is compared (`tables/`), on what budget, and the leaderboard of results."""

from fer_core.studies.budget import BUDGETS, Budget
from fer_core.studies.rows import TABLES, Published, Row, Table, all_rows

__all__ = ["BUDGETS", "TABLES", "Budget", "Published", "Row", "Table", "all_rows"]
