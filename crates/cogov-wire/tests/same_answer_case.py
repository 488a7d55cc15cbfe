"""One case of the suite: a grant, a statement, its parameters, and the statement of the independent engine."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    grant: str
    sql: str
    params: tuple = ()
    # What DuckDB is asked; the same words unless a statistic's small groups must go by hand.
    theirs: str = ""
    # Whether the statement's ORDER BY is total, so that the order is compared too.
    ordered: bool = False
    # Whether no row is the right answer.
    empty: bool = False
    # The leading columns that name a group, where a protected statistic may hide what DuckDB shows: whole groups, and figures
    # as null. What is shown must be the same.
    groups: int | None = None
    # A statistic of ours whose answer stands in DuckDB as `released`, for questions about released figures.
    released: str = ""

    def __post_init__(self):
        object.__setattr__(self, "theirs", self.theirs or self.sql)

