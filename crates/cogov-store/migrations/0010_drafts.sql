-- Drafts of rules and other texts, every text that was ever saved of them, and the facts of decisions.
CREATE TABLE drafts (
    id       IDTEXT PRIMARY KEY,
    proposer IDTEXT NOT NULL REFERENCES parties (id),
    state    IDTEXT NOT NULL,
    made_at  BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    body     TEXT   NOT NULL
);
CREATE INDEX drafts_by_time ON drafts (made_at, id);

CREATE TABLE draft_texts (
    draft  IDTEXT NOT NULL REFERENCES drafts (id),
    number BIGINT NOT NULL,
    body   TEXT   NOT NULL,
    PRIMARY KEY (draft, number)
);

CREATE TABLE decision_facts (
    digest IDTEXT PRIMARY KEY,
    body   TEXT   NOT NULL
);
