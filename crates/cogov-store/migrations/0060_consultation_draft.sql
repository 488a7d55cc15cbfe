-- Which draft a consultation is about, so that a draft finds its own.

ALTER TABLE consultations ADD COLUMN draft IDTEXT;
CREATE INDEX consultations_by_draft ON consultations (draft, entry);
