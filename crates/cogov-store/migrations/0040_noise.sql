-- What was spent of privacy, and what was answered for it. Losses are whole numbers: pure (an epsilon) in
-- millionths, rho in units of 10^-12, delta in units of 10^-15. A month is year × 12 + month - 1.

CREATE TABLE noise_spent (
    scope IDTEXT NOT NULL,
    month BIGINT NOT NULL,
    pure  BIGINT NOT NULL,
    rho   BIGINT NOT NULL,
    delta BIGINT NOT NULL,
    PRIMARY KEY (scope, month)
);

CREATE TABLE noise_answers (
    id       IDTEXT PRIMARY KEY,
    grant_id IDTEXT NOT NULL REFERENCES grants (id),
    at       BIGINT NOT NULL,
    month    BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    answer   TEXT,
    entry    BIGINT
);
CREATE INDEX noise_answers_by_grant ON noise_answers (grant_id, at, id);

CREATE TABLE noise_answer_datasets (
    dataset IDTEXT NOT NULL,
    at      BIGINT NOT NULL,
    id      IDTEXT NOT NULL REFERENCES noise_answers (id),
    PRIMARY KEY (dataset, at, id)
);
