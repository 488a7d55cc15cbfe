-- What parties were answered in protected statistics, statement by statement: the sets of rows that figures
-- added up, in the engine's own text. A party's answers about a table are one sequence without gaps: who
-- writes a number that is taken was not the first, and weighs again.

CREATE TABLE answers (
    party      IDTEXT NOT NULL,
    dataset    IDTEXT NOT NULL,
    table_name IDTEXT NOT NULL,
    number     BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (party, dataset, table_name, number)
);
