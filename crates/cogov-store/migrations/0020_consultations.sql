-- Consultations. Everything here but the participants is made from the ledger, entry by entry, and can be
-- made again from it; the participants hold the one thing that no entry tells: which account is which.

CREATE TABLE consultations (
    id            IDTEXT PRIMARY KEY,
    host          IDTEXT NOT NULL,
    opened_at     BIGINT NOT NULL,
    entry         BIGINT NOT NULL UNIQUE,
    participants  BIGINT NOT NULL,
    contributions BIGINT NOT NULL,
    votes         BIGINT NOT NULL,
    unanswered    BIGINT NOT NULL,
    answers       BIGINT NOT NULL,
    body          TEXT   NOT NULL
);
CREATE INDEX consultations_by_time ON consultations (opened_at, id);

CREATE TABLE consultation_clauses (
    consultation  IDTEXT NOT NULL REFERENCES consultations (id),
    ordinal       BIGINT NOT NULL,
    anchor        IDTEXT NOT NULL,
    title         TEXT   NOT NULL,
    words         TEXT   NOT NULL,
    contributions BIGINT NOT NULL,
    PRIMARY KEY (consultation, ordinal)
);
CREATE UNIQUE INDEX consultation_clauses_by_anchor ON consultation_clauses (consultation, anchor);

CREATE TABLE consultation_participants (
    consultation IDTEXT NOT NULL REFERENCES consultations (id),
    number       BIGINT NOT NULL,
    participant  IDTEXT NOT NULL,
    account      IDTEXT NOT NULL REFERENCES accounts (name),
    class        IDTEXT NOT NULL,
    verified     BIGINT NOT NULL,
    name         TEXT,
    joined_at    BIGINT NOT NULL,
    entry        BIGINT,
    PRIMARY KEY (consultation, number)
);
CREATE UNIQUE INDEX consultation_participants_by_account ON consultation_participants (consultation, account);
CREATE UNIQUE INDEX consultation_participants_by_key ON consultation_participants (consultation, participant);

CREATE TABLE consultation_contributions (
    consultation IDTEXT NOT NULL REFERENCES consultations (id),
    number       BIGINT NOT NULL,
    entry        BIGINT NOT NULL,
    kind         IDTEXT NOT NULL,
    clause       IDTEXT,
    participant  BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    standing     IDTEXT NOT NULL,
    root         BIGINT NOT NULL,
    unanswered   BIGINT NOT NULL,
    answer       BIGINT,
    agree        BIGINT NOT NULL,
    disagree     BIGINT NOT NULL,
    pass         BIGINT NOT NULL,
    salt         TEXT   NOT NULL,
    words        TEXT   NOT NULL,
    proposed     TEXT,
    reason       TEXT   NOT NULL,
    PRIMARY KEY (consultation, number)
);
CREATE UNIQUE INDEX consultation_contributions_by_entry ON consultation_contributions (consultation, entry);
CREATE INDEX consultation_contributions_by_clause ON consultation_contributions (consultation, clause, number);
CREATE INDEX consultation_contributions_by_kind ON consultation_contributions (consultation, kind, number);
CREATE INDEX consultation_contributions_by_participant
    ON consultation_contributions (consultation, participant, number);
CREATE INDEX consultation_contributions_open ON consultation_contributions (consultation, unanswered, number);
CREATE INDEX consultation_contributions_by_answer ON consultation_contributions (consultation, answer, number);
CREATE INDEX consultation_contributions_by_root ON consultation_contributions (consultation, root, number);

-- Every vote as it was cast, those that were changed later too.
CREATE TABLE consultation_votes (
    consultation IDTEXT NOT NULL REFERENCES consultations (id),
    entry        BIGINT NOT NULL,
    statement    BIGINT NOT NULL,
    participant  BIGINT NOT NULL,
    vote         IDTEXT NOT NULL,
    at           BIGINT NOT NULL,
    salt         TEXT   NOT NULL,
    PRIMARY KEY (consultation, entry)
);
CREATE INDEX consultation_votes_by_participant
    ON consultation_votes (consultation, participant, statement, entry);
CREATE INDEX consultation_votes_by_statement
    ON consultation_votes (consultation, statement, participant, entry);

-- What holds now: one vote of one participant on one statement that stays after merging.
CREATE TABLE consultation_stances (
    consultation IDTEXT NOT NULL REFERENCES consultations (id),
    statement    BIGINT NOT NULL,
    participant  BIGINT NOT NULL,
    vote         IDTEXT NOT NULL,
    PRIMARY KEY (consultation, statement, participant)
);
CREATE INDEX consultation_stances_by_participant
    ON consultation_stances (consultation, participant, statement);

CREATE TABLE consultation_answers (
    consultation IDTEXT NOT NULL REFERENCES consultations (id),
    number       BIGINT NOT NULL,
    entry        BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    PRIMARY KEY (consultation, number)
);

-- The ledger entries of a consultation that are neither a contribution nor a vote nor a joining.
CREATE TABLE consultation_acts (
    consultation IDTEXT NOT NULL REFERENCES consultations (id),
    entry        BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    salt         TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    PRIMARY KEY (consultation, entry)
);
