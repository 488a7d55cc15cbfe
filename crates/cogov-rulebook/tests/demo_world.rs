//! The grants of the demo world under the rulebook that ships: what the contract promises must come out.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Mask, Treatment};
use cogov_rulebook::Permit;
use common::{World, world};

fn of(permit: &Permit, column: &str) -> Treatment {
    permit.treatment(&common::column(column))
}

fn permit(world: &World, grant: &str) -> Permit {
    world.decide(grant, 0).unwrap_or_else(|refusal| panic!("{grant}: {}", refusal.reason.en))
}

#[test]
fn a_region_reads_its_own_rows_with_names_masked() {
    let permit = permit(&world(), "g-north-revenue");
    assert_eq!(of(&permit, "revenue.tax_units.wages"), Treatment::Clear);
    assert_eq!(of(&permit, "revenue.tax_units.fips"), Treatment::Clear);
    assert_eq!(of(&permit, "registry.persons.name"), Treatment::Mask(Mask::Prefix(1)));
    assert_eq!(of(&permit, "registry.persons.identity_number"), Treatment::Mask(Mask::KeyedHash));
    assert_eq!(of(&permit, "registry.persons.birth_date"), Treatment::Mask(Mask::Year));
    let wages = permit.ruling(&common::column("revenue.tax_units.wages")).unwrap();
    assert!(wages.clauses.contains("art-24"), "{:?}", wages.clauses);
    assert!(permit.clauses().contains("names"));
}

#[test]
fn masks_come_from_the_rulebook_and_not_only_from_the_grant() {
    let mut world = world();
    world.grants.get_mut("g-north-revenue").unwrap().conditions.clear();
    let permit = permit(&world, "g-north-revenue");
    assert_eq!(of(&permit, "registry.persons.name"), Treatment::Mask(Mask::Prefix(1)));
    assert_eq!(of(&permit, "registry.persons.identity_number"), Treatment::Mask(Mask::KeyedHash));
}

#[test]
fn return_flow_ends_at_the_border_of_the_region() {
    let mut world = world();
    let grant = world.grants.get_mut("g-north-revenue").unwrap();
    grant.purpose.legal_basis = cogov_model::Text::default();
    assert_eq!(of(&permit(&world, "g-north-revenue"), "revenue.tax_units.wages"), Treatment::Clear);
    let grant = world.grants.get_mut("g-north-revenue").unwrap();
    grant.scope = Default::default();
    assert_eq!(of(&permit(&world, "g-north-revenue"), "revenue.tax_units.wages"), Treatment::Withhold);
}

#[test]
fn welfare_reads_rows_and_a_letter_writer_gets_a_file() {
    let world = world();
    let welfare = permit(&world, "g-welfare-revenue");
    assert!(welfare.rulings().all(|(_, ruling)| ruling.treatment == Treatment::Clear));
    let health = permit(&world, "g-health-welfare");
    assert!(health.rulings().all(|(_, ruling)| ruling.treatment == Treatment::Clear));
}

#[test]
fn the_lab_gets_statistics_and_the_operator_noise() {
    let world = world();
    let lab = permit(&world, "g-lab-statistics");
    assert!(lab.rulings().all(|(_, ruling)| ruling.treatment.kind() == "aggregate"));
    let operator = permit(&world, "g-operator-noise");
    for (column, ruling) in operator.rulings() {
        let kind = ruling.treatment.kind();
        let plain = ["recid", "fips", "tax_year", "filing_status"].contains(&column.column.as_str());
        assert_eq!(kind, if plain { "aggregate" } else { "noise" }, "{column}");
    }
    let open = permit(&world, "g-wren-regions");
    assert!(open.rulings().all(|(_, ruling)| ruling.treatment == Treatment::Clear));
}

#[test]
fn verification_never_shows_a_value() {
    let permit = permit(&world(), "g-south-verify");
    assert!(permit.rulings().all(|(_, ruling)| ruling.treatment == Treatment::Mask(Mask::KeyedHash)));
}

#[test]
fn refused_expired_revoked_and_foreign_grants_say_why_in_both_languages() {
    let world = world();
    for (grant, days, clause) in [
        ("g-lantern-veterans", 1, "art-21-reasons"),
        ("g-east-housing", 0, "art-25"),
        ("g-north-revenue", -40, "art-25"),
    ] {
        let refusal = world.decide(grant, days).unwrap_err();
        assert!(refusal.clauses.contains(clause), "{grant}: {:?}", refusal.clauses);
        assert!(refusal.reason.en.contains(clause) && refusal.reason.zh.contains(clause));
    }
    let preview = world.preview("g-lantern-veterans", 1);
    assert!(preview.rulings.values().all(|ruling| ruling.is_withheld()));
    assert!(preview.clauses().contains("art-15") && preview.clauses().contains("no-rating"));
}

#[test]
fn a_grant_serves_only_its_own_party() {
    let world = world();
    let refusal = world.decide_as("g-north-revenue", "east").unwrap_err();
    assert!(refusal.reason.en.contains("another party"));
}

#[test]
fn the_approvers_condition_tightens_and_never_loosens() {
    let mut world = world();
    let wages = common::column("revenue.tax_units.wages");
    let name = common::column("registry.persons.name");
    let ten = cogov_model::MinGroup::new(10).unwrap();
    let grant = world.grants.get_mut("g-north-revenue").unwrap();
    grant.conditions =
        vec![(wages.clone(), Treatment::Aggregate(ten.into())), (name.clone(), Treatment::Clear)];
    let permit = permit(&world, "g-north-revenue");
    assert_eq!(permit.treatment(&wages), Treatment::Aggregate(ten.into()));
    assert!(permit.ruling(&wages).unwrap().reason.en.contains("stricter"));
    assert_eq!(permit.treatment(&name), Treatment::Mask(Mask::Prefix(1)));
}

#[test]
fn a_column_that_the_grant_does_not_hold_only_explains_the_scope() {
    let mut world = world();
    let fips = common::column("revenue.tax_units.fips");
    let grant = world.grants.get_mut("g-north-revenue").unwrap();
    grant.purpose.legal_basis = cogov_model::Text::default();
    let whole = grant.clone();
    grant.columns.retain(|column| *column != fips);
    let ask = world.ask("g-north-revenue", "north", 0);
    let blind = world.rulebook.decide(&ask).unwrap();
    assert_eq!(of(&blind, "revenue.tax_units.wages"), Treatment::Withhold);
    let mut with_fips = ask;
    let label = &world.labels[&fips];
    let provider = &world.parties["revenue"];
    let sharing = with_fips.columns[0].sharing;
    let column = whole.columns.iter().find(|column| **column == fips).unwrap();
    with_fips.columns.push(cogov_rulebook::AskColumn { column, label, sharing, provider });
    let seeing = world.rulebook.decide(&with_fips).unwrap();
    assert_eq!(of(&seeing, "revenue.tax_units.wages"), Treatment::Clear);
    assert_eq!(seeing.treatment(&fips), Treatment::Withhold);
    assert!(seeing.ruling(&fips).is_none());
}

#[test]
fn an_unknown_column_is_withheld() {
    let permit = permit(&world(), "g-north-revenue");
    assert_eq!(of(&permit, "registry.persons.phone"), Treatment::Withhold);
}
