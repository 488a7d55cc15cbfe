"""Checks the demo world's files against each other. Needs Python 3.11; with pyarrow it also reads cps.parquet.

    python3 demo/check.py

Ends with 0 and a summary, or with 1 and everything that is wrong.
"""

import csv
import pathlib
import re
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
RULEBOOKS = HERE.parent / "rulebooks"
CLASSES = {"government", "operator", "enterprise", "university", "social", "individual"}
ROLES = {"steward", "requester", "approver", "head", "analyst", "auditor", "admin", "citizen", "drafter"}
FORMS = {"verify", "aggregate", "rows", "extract"}
LANES = {"share", "operate", "open"}
TYPES = {"integer", "text", "date"}
OPS = {"=", "<>", "<", "<=", ">", ">="}
REPEATED = {"RECID", "fips"}
problems: list[str] = []


def expect(holds: bool, words: str) -> None:
    if not holds:
        problems.append(words)


def load(path: pathlib.Path) -> dict:
    with path.open("rb") as file:
        return tomllib.load(file)


def texts(value: object, where: str) -> None:
    """Every { en, zh } below this value has words in both languages, with Chinese characters in the Chinese."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            texts(item, f"{where}[{at}]")
    elif isinstance(value, dict) and {"en", "zh"} & value.keys():
        expect(value.keys() == {"en", "zh"}, f"{where}: needs en and zh, and nothing else")
        expect(bool(value.get("en", "").strip()) and value.get("en", "").isascii(), f"{where}.en: empty or not ASCII")
        expect(re.search(r"[\u4e00-\u9fff]", value.get("zh", "")) is not None, f"{where}.zh: no Chinese")
    elif isinstance(value, dict):
        for key, item in value.items():
            texts(item, f"{where}.{key}")


def once(names: list[str], what: str) -> set[str]:
    expect(len(names) == len(set(names)), f"{what}: one stands twice")
    return set(names)


def check_scheme(scheme: dict) -> tuple[dict[str, dict], list[str]]:
    grades = [grade["code"] for grade in scheme["grade"]]
    once([category["code"] for category in scheme["category"]], "categories")
    tree = {category["code"]: category for category in scheme["category"]}
    for code, category in tree.items():
        expect(bool(category["source"]), f"category {code}: no source")
        parent = tree.get(code.rpartition(".")[0])
        expect("." not in code or parent is not None, f"category {code}: no parent")
        if parent:
            expect(grades.index(category["floor"]) >= grades.index(parent["floor"]), f"category {code}: floor below its parent's")
    return tree, grades


def check_people(world: dict) -> tuple[dict[str, dict], dict[str, dict]]:
    once([party["id"] for party in world["party"]], "parties")
    parties = {party["id"]: party for party in world["party"]}
    regions = {row["fips"] for row in csv.DictReader((HERE / "regions.csv").open(encoding="utf-8"))}
    expect(len(regions) == 51, f"regions.csv: {len(regions)} regions, expected 51")
    for id_, party in parties.items():
        expect(party["class"] in CLASSES, f"party {id_}: class")
        expect((party["class"] == "government") == ("tier" in party), f"party {id_}: tier is for government bodies")
        expect("region" not in party or str(int(party["region"])) in regions, f"party {id_}: region")
    once([account["name"] for account in world["account"]], "accounts")
    once([account["password"] for account in world["account"]], "passwords")
    accounts = {account["name"]: account for account in world["account"]}
    for name, account in accounts.items():
        expect(account["party"] in parties, f"account {name}: party")
        expect(bool(account["roles"]) and set(account["roles"]) <= ROLES, f"account {name}: roles")
        expect(account["locale"] in {"en", "zh-Hans"}, f"account {name}: locale")
    held = {role for account in accounts.values() for role in account["roles"]}
    expect(held == ROLES, f"no account holds {ROLES - held}")
    return parties, accounts


def check_column(where: str, column: dict, tree: dict, grades: list[str]) -> None:
    expect(re.fullmatch(r"[a-z][a-z0-9_]*", column["name"]) is not None, f"{where}: name")
    expect(column["data_type"] in TYPES, f"{where}: data_type")
    label = column["label"]
    expect(label["grade"] in grades, f"{where}: grade")
    expect(bool(label["categories"]) and set(label["categories"]) <= tree.keys(), f"{where}: categories")
    for code in label["categories"]:
        if code in tree and label["grade"] in grades:
            floor = tree[code]["floor"]
            expect(grades.index(label["grade"]) >= grades.index(floor), f"{where}: {label['grade']} is below the floor {floor} of {code}")


def check_datasets(world: dict, parties: dict, tree: dict, grades: list[str]) -> tuple[dict, list[str]]:
    """Returns `dataset.table` → (provider, dataset, column names), and the source columns in order of use."""
    tables, sources = {}, []
    once([dataset["id"] for dataset in world["dataset"]], "datasets")
    for dataset in world["dataset"]:
        expect(dataset["provider"] in parties, f"dataset {dataset['id']}: provider")
        expect(set(dataset["lanes"]) <= LANES, f"dataset {dataset['id']}: lanes")
        needs = {"conditional": "conditions", "not-shared": "law", "unconditional": None}
        kind = dataset["sharing"]["kind"]
        expect(kind in needs and (needs[kind] is None or needs[kind] in dataset["sharing"]), f"dataset {dataset['id']}: sharing")
        expect((kind == "not-shared") == (not dataset["lanes"]), f"dataset {dataset['id']}: lanes of what is not shared")
        for table in dataset["table"]:
            name = f"{dataset['id']}.{table['name']}"
            columns = once([column["name"] for column in table["column"]], name)
            tables[name] = (dataset["provider"], dataset, columns)
            expect(table.get("unit", "recid") in columns or table["from"] == "regions.csv", f"{name}: unit")
            expect("fips" in columns, f"{name}: no fips to filter by region")
            for column in table["column"]:
                check_column(f"{name}.{column['name']}", column, tree, grades)
                expect((table["from"] == "cps.parquet") == ("source" in column), f"{name}.{column['name']}: source")
            own = [column["source"] for column in table["column"] if "source" in column]
            expect(not own or set(own) >= REPEATED, f"{name}: needs RECID and fips")
            sources += [source for source in own if source not in REPEATED]
    return tables, sources


def check_condition(where: str, condition: dict, columns: set[str], tables: dict) -> None:
    if "linked" in condition:
        link = condition["linked"]
        other = tables.get(f"{link['dataset']}.{link['table']}")
        expect(other is not None and link["column"] in columns, f"{where}: link")
        if other:
            expect(link["key"] in other[2], f"{where}: key")
            for inner in link["any"]:
                check_condition(where, inner, other[2], tables)
        return
    expect(condition["column"] in columns and condition["op"] in OPS, f"{where}: {condition}")
    expect(isinstance(condition["value"], int), f"{where}: value is compared with a whole number")


def check_request(kind: str, item: dict, parties: dict, accounts: dict, tables: dict, purposes: set[str]) -> None:
    """What grants and applications share."""
    where, party = f"{kind} {item['id']}", item.get("party", item.get("requester"))
    expect(party in parties, f"{where}: party")
    account = accounts.get(item["account"], {})
    expect(account.get("party") == party and "analyst" in account.get("roles", []), f"{where}: account")
    expect(item["form"] in FORMS and item["lane"] in LANES, f"{where}: form or lane")
    expect(item["purpose"]["code"] in purposes, f"{where}: purpose")
    expect(item["starts"] < item["ends"], f"{where}: term")
    providers = set(item.get("providers", [item.get("provider")]))
    expect({tables[name][0] for name in item["columns"] if name in tables} == providers, f"{where}: providers")
    for name, columns in item["columns"].items():
        expect(name in tables and set(columns) <= tables[name][2], f"{where}: columns of {name}")
        if name in tables and item["state"] != "refused":
            expect(item["lane"] in tables[name][1]["lanes"], f"{where}: {name} does not flow in lane {item['lane']}")
    for name, conditions in item.get("scope", {}).items():
        expect(name in item["columns"], f"{where}: scope of {name}, which is not granted")
        for condition in conditions:
            check_condition(f"{where}: scope of {name}", condition, tables[name][2], tables)


def check_grants(grants: dict, parties: dict, accounts: dict, tables: dict, purposes: set[str]) -> None:
    once([grant["id"] for grant in grants["grant"]], "grants")
    for grant in grants["grant"]:
        check_request("grant", grant, parties, accounts, tables, purposes)
        expect(grant["state"] in {"active", "refused"}, f"grant {grant['id']}: state")
        expect((grant["state"] == "refused") == ("refusal" in grant), f"grant {grant['id']}: a refusal has reasons")
        granted = {f"{table}.{column}" for table, columns in grant["columns"].items() for column in columns}
        for condition in grant.get("conditions", []):
            expect(condition["column"] in granted, f"grant {grant['id']}: condition on {condition['column']}")
    expect(any(grant["state"] == "refused" for grant in grants["grant"]), "no refused grant")
    expect(any(grant["ends"] < 0 for grant in grants["grant"]), "no expired grant")
    for application in grants["application"]:
        check_request("application", application, parties, accounts, tables, purposes)


def check_survey(sources: list[str]) -> str:
    once(sources, "source columns")
    expect(len(set(sources) | REPEATED) == 68, f"{len(set(sources) | REPEATED)} source columns placed, expected 68")
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        return "cps.parquet not read (no pyarrow)"
    survey = parquet.ParquetFile(HERE / "cps.parquet")
    names = set(survey.schema_arrow.names)
    expect(names == set(sources) | REPEATED, f"cps.parquet and world.toml differ in {names ^ (set(sources) | REPEATED)}")
    expect(survey.metadata.num_rows == 280_005, "cps.parquet: rows")
    return f"cps.parquet: {survey.metadata.num_rows} rows × {len(names)} columns"


def check_anchors(grants: dict) -> str:
    """Clauses that refusals cite exist in the rulebooks that lie beside, when there are any."""
    anchors = {a for path in RULEBOOKS.glob("*.md") for a in re.findall(r"\{#([a-z0-9.-]+)\}", path.read_text(encoding="utf-8"))}
    cited = {clause for grant in grants["grant"] for clause in grant.get("refusal", {}).get("clauses", [])}
    if anchors:
        expect(cited <= anchors, f"no rulebook has the clauses {sorted(cited - anchors)}")
        return "clauses found"
    return "no rulebook to look up clauses in"


def main() -> None:
    world, grants = load(HERE / "world.toml"), load(HERE / "grants.toml")
    scheme, purposes = load(RULEBOOKS / "scheme.toml"), load(RULEBOOKS / "purposes.toml")
    for name, document in {"world": world, "grants": grants, "scheme": scheme, "purposes": purposes}.items():
        texts(document, name)
    codes = once([purpose["code"] for purpose in purposes["purpose"]], "purposes")
    expect(all("." not in code or code.rpartition(".")[0] in codes for code in codes), "a purpose has no parent")
    tree, grades = check_scheme(scheme)
    parties, accounts = check_people(world)
    tables, sources = check_datasets(world, parties, tree, grades)
    check_grants(grants, parties, accounts, tables, codes)
    notes = [check_survey(sources), check_anchors(grants)]
    calendar = load(RULEBOOKS / "holidays-cn.toml")
    expect(not set(calendar["holidays"]) & set(calendar["workdays"]), "a day is both off and worked")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"{len(parties)} parties, {len(accounts)} accounts, {len(tables)} tables, {len(grants['grant'])} grants; {'; '.join(notes)}")


if __name__ == "__main__":
    main()
