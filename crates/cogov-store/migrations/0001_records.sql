-- The records of cogov. One text for SQLite and PostgreSQL: only IDTEXT (text in byte order: a domain
-- in PostgreSQL, made before the migrations run; plain text affinity in SQLite), TEXT (also JSON and
-- hex) and BIGINT (also moments in milliseconds, and 0 or 1).

CREATE TABLE parties (
    id   IDTEXT PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE accounts (
    name          IDTEXT PRIMARY KEY,
    display_name  TEXT   NOT NULL,
    party         IDTEXT NOT NULL REFERENCES parties (id),
    roles         TEXT   NOT NULL,
    locale        TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    disabled      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE INDEX accounts_by_party ON accounts (party, name);

CREATE TABLE tokens (
    hash       IDTEXT PRIMARY KEY,
    account    IDTEXT NOT NULL REFERENCES accounts (name),
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX tokens_by_account ON tokens (account, created_at);

CREATE TABLE sessions (
    hash       IDTEXT PRIMARY KEY,
    account    IDTEXT NOT NULL REFERENCES accounts (name),
    csrf       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE datasets (
    id       IDTEXT PRIMARY KEY,
    provider IDTEXT NOT NULL REFERENCES parties (id),
    state    IDTEXT NOT NULL,
    revision BIGINT NOT NULL,
    body     TEXT   NOT NULL
);
CREATE INDEX datasets_by_provider ON datasets (provider, id);
CREATE INDEX datasets_by_state ON datasets (state, id);

CREATE TABLE versions (
    dataset    IDTEXT NOT NULL REFERENCES datasets (id),
    number     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (dataset, number)
);

CREATE TABLE profiles (
    dataset    IDTEXT NOT NULL,
    number     BIGINT NOT NULL,
    table_name IDTEXT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (dataset, number, table_name),
    FOREIGN KEY (dataset, number) REFERENCES versions (dataset, number)
);

CREATE TABLE label_decisions (
    dataset    IDTEXT NOT NULL REFERENCES datasets (id),
    number     BIGINT NOT NULL,
    table_name IDTEXT NOT NULL,
    column_name TEXT  NOT NULL,
    at         BIGINT NOT NULL,
    ordinal    BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (dataset, ordinal)
);

CREATE TABLE applications (
    id        IDTEXT PRIMARY KEY,
    requester IDTEXT NOT NULL REFERENCES parties (id),
    provider  IDTEXT NOT NULL REFERENCES parties (id),
    state     IDTEXT NOT NULL,
    waiting   BIGINT NOT NULL,
    made_at   BIGINT NOT NULL,
    revision  BIGINT NOT NULL,
    body      TEXT   NOT NULL
);
CREATE INDEX applications_by_time ON applications (made_at, id);
CREATE INDEX applications_by_requester ON applications (requester, made_at, id);
CREATE INDEX applications_by_provider ON applications (provider, waiting, made_at, id);

CREATE TABLE grants (
    id          IDTEXT PRIMARY KEY,
    party       IDTEXT NOT NULL REFERENCES parties (id),
    state       IDTEXT NOT NULL,
    made_at     BIGINT NOT NULL,
    application IDTEXT REFERENCES applications (id),
    revision    BIGINT NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX grants_by_time ON grants (made_at, id);
CREATE INDEX grants_by_party ON grants (party, made_at, id);
CREATE INDEX grants_by_application ON grants (application);

CREATE TABLE grant_providers (
    provider IDTEXT NOT NULL REFERENCES parties (id),
    made_at  BIGINT NOT NULL,
    grant_id IDTEXT NOT NULL REFERENCES grants (id),
    PRIMARY KEY (provider, made_at, grant_id)
);
CREATE INDEX grant_providers_by_grant ON grant_providers (grant_id);

CREATE TABLE grant_datasets (
    dataset  IDTEXT NOT NULL,
    made_at  BIGINT NOT NULL,
    grant_id IDTEXT NOT NULL REFERENCES grants (id),
    PRIMARY KEY (dataset, made_at, grant_id)
);
CREATE INDEX grant_datasets_by_grant ON grant_datasets (grant_id);

CREATE TABLE mask_keys (
    grant_id IDTEXT PRIMARY KEY REFERENCES grants (id),
    key      TEXT NOT NULL
);

CREATE TABLE rulebooks (
    version  IDTEXT PRIMARY KEY,
    in_force BIGINT NOT NULL,
    ordinal  BIGINT NOT NULL UNIQUE,
    text_en  TEXT   NOT NULL,
    text_zh  TEXT   NOT NULL
);
CREATE INDEX rulebooks_by_time ON rulebooks (in_force, ordinal);

CREATE TABLE settings (
    name  IDTEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE ledger_index (
    idx      BIGINT PRIMARY KEY,
    kind     IDTEXT NOT NULL,
    at       BIGINT NOT NULL,
    grant_id IDTEXT,
    outcome  IDTEXT NOT NULL,
    account  IDTEXT,
    parties  TEXT   NOT NULL,
    datasets TEXT   NOT NULL
);
CREATE INDEX ledger_by_kind ON ledger_index (kind, idx);
CREATE INDEX ledger_by_grant ON ledger_index (grant_id, idx);
CREATE INDEX ledger_by_account ON ledger_index (account, idx);
CREATE INDEX ledger_by_outcome ON ledger_index (outcome, idx);

CREATE TABLE ledger_parties (
    party IDTEXT NOT NULL,
    idx   BIGINT NOT NULL REFERENCES ledger_index (idx),
    PRIMARY KEY (party, idx)
);

CREATE TABLE ledger_datasets (
    dataset IDTEXT NOT NULL,
    idx     BIGINT NOT NULL REFERENCES ledger_index (idx),
    PRIMARY KEY (dataset, idx)
);
CREATE INDEX profiles_by_table ON profiles (dataset, table_name, number);
