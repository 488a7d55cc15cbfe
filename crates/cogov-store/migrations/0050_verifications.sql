-- How often a verify grant was used on a day: counted before the answer, so that a limit holds under concurrency
-- and over restarts. `unknown` holds the answers that were unknown and those still under way.

CREATE TABLE verifications (
    grant_id IDTEXT NOT NULL REFERENCES grants (id),
    day      BIGINT NOT NULL,
    asked    BIGINT NOT NULL,
    unknown  BIGINT NOT NULL,
    PRIMARY KEY (grant_id, day)
);
