"""Makes `people.csv` and `people.truth.toml`: 2,000 invented rows with known identifiers and decoys.

    python3 demo/heldout/make_people.py           # writes both files
    python3 demo/heldout/make_people.py --check   # compares them with what it would write

The files test grading on data that no detector was written against: every identifier with a check digit must be
found and none may be invented. Nothing in them is about anybody: identity numbers and credit codes carry the
division 99, which belongs to no place; cards and accounts carry bank codes of zeros; telephone numbers lie in
ranges that are kept for fiction (+999, +1 555-01xx, +44 7700 900xxx); mail ends in `.example`.
Only the standard library, and only `random()` of it, whose sequence Python guarantees for a seed.
"""

import csv
import datetime
import io
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROWS = 2_000
RNG = random.Random(20_261_123)

CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
IBANS = {"DE": ("00000000", 10), "FR": ("0000000000", 13), "NL": ("XXXX", 10), "GB": ("XXXX000000", 8), "AT": ("00000", 11)}
FAMILY = "王 李 张 刘 陈 杨 赵 黄 周 吴 欧阳 司马 上官 诸葛 覃 禤".split()
GIVEN = "嘉怡 子轩 雨桐 浩然 思远 晓彤 国栋 丽华 建军 秋月 若曦 明哲 芷 岩 磊 然".split()
FIRST = "Agnieszka Björn Chioma Dmitri Élodie Fatima Giulia Håkon Imani José Katarzyna Liam Małgorzata Noor Oisín Priya".split()
LAST = "Nowak Sørensen O'Brien García-López Okonkwo Schröder van-Dijk Petrov Al-Amin Tanaka Lefèvre Mbeki Novák Singh".split()
CITIES = "Maplebridge 枫桥 Greenbay 青湾 Oldwell 古井 Seaview 望海".split()
STREETS_EN = "Mill Street,Station Road,Lighthouse Lane,North Canal Road".split(",")
STREETS_ZH = "枫林路 学府街 和平大道 桂花弄".split()
FIRMS = "Lantern Foods Ltd,明灯食品有限公司,Harbour Tools Inc.,青湾渔业合作社,Oldwell Press,云台机械股份有限公司".split(",")
SENTENCES = [
    "Called about the delayed letter, will come back on Monday.",
    "申请人补充了材料,等待复核。",
    "Moved house; the old address is no longer valid, please do not write there.",
    "窗口已当面告知办理时限,申请人无异议。",
    "Asked for the form in large print.\nSent the same day.",
    "Wants to know \"why\" the amount changed; explained.",
    "家中有两名学龄儿童,希望就近办理。",
]


def below(bound: int) -> int:
    return int(RNG.random() * bound)


def pick(items):
    return items[below(len(items))]


def digits(count: int) -> str:
    return "".join(str(below(10)) for _ in range(count))


def identity_check(body: str) -> str:
    """GB 11643: the weights are 2^(17-i) mod 11."""
    return "10X98765432"[sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body)) % 11]


def credit_check(body: str) -> str:
    """GB 32100: the weights are 3^i mod 31."""
    return CREDIT[-sum(CREDIT.index(c) * pow(3, i, 31) for i, c in enumerate(body)) % 31]


def organisation_check(body: str) -> str:
    """GB 11714, inside the credit code: letters count from A = 10."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = 11 - sum(int(c, 36) * w for c, w in zip(body, weights)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def luhn_holds(number: str) -> bool:
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(number))]
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def iban_number(text: str) -> int:
    moved = text[4:] + text[:4]
    return int("".join(str(int(c, 36)) for c in moved))


def day(first: int, last: int) -> datetime.date:
    start = datetime.date(first, 1, 1)
    return start + datetime.timedelta(days=below((datetime.date(last, 12, 31) - start).days + 1))


def identity(born: datetime.date, valid: bool = True) -> str:
    body = f"99{digits(4)}{born:%Y%m%d}{digits(3)}"
    right = identity_check(body)
    return body + (right if valid else pick([c for c in "0123456789X" if c != right]))


def credit(valid: bool = True) -> str:
    organisation = "".join(pick("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(8))
    body = pick(["91", "92", "93", "11", "12"]) + f"99{digits(4)}" + organisation + organisation_check(organisation)
    right = credit_check(body)
    return body + (right if valid else pick([c for c in CREDIT if c != right]))


def card(valid: bool = True) -> str:
    body = "620000" + digits(pick([9, 10, 12]))
    return body + pick([c for c in "0123456789" if luhn_holds(body + c) == valid])


def iban(valid: bool = True) -> str:
    country = pick(sorted(IBANS))
    bank, count = IBANS[country]
    body = bank + digits(count)
    right = 98 - iban_number(f"{country}00{body}") % 97
    # Another two digits of 02 to 98 never hold: only one of them leaves 1.
    text = f"{country}{right if valid else 2 + (right - 2 + 1 + below(95)) % 97:02}{body}"
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4)) if below(3) == 0 else text


def phone() -> str:
    return pick([
        lambda: f"+999 {digits(2)} {digits(4)} {digits(4)}",
        lambda: f"+1 {200 + below(700)}-555-01{digits(2)}",
        lambda: f"+44 7700 900{digits(3)}",
    ])()


def person() -> str:
    if below(2):
        return pick(FAMILY) + pick(GIVEN)
    return f"{pick(FIRST)} {pick(LAST)}"


def address() -> str:
    if below(2):
        return f"{pick(['枫桥镇', '青湾市', '望海区'])}{pick(STREETS_ZH)}{1 + below(300)}号{1 + below(30)}栋{101 + below(900)}室"
    return f"{1 + below(300)} {pick(STREETS_EN)}, Flat {1 + below(90)}, {pick(['Maplebridge', 'Greenbay', 'Oldwell'])}"


def note(kinds: set[str]) -> str:
    """A sentence or two; adds to `kinds` what identifier stands in it."""
    words = [pick(SENTENCES)]
    chance = below(20)
    if chance == 0:
        words.append(f"身份证号{identity(day(1940, 2005))}已核对。")
        kinds.add("identity-number")
    elif chance == 1:
        words.append(f"Call back on {phone()}.")
        kinds.add("phone")
    elif chance == 2:
        words.append(f"Write to {pick(['a', 'b', 'c'])}{digits(4)}@post.example instead.")
        kinds.add("email")
    elif chance == 3:
        words.append(f"Ticket {identity(day(1940, 2005), valid=False)} closed.")
    return " ".join(words)


# Columns in file order: name → (kind, what the value is, share of rows that hold a wrong check digit, share of nulls).
# Kinds are the detectors of rulebooks/scheme.toml; "none" is a decoy.
COLUMNS = {
    "row": ("none", "line counter", 0, 0),
    "person": ("person-name", "names of several traditions", 0, 0.01),
    "doc_a": ("identity-number", "resident identity numbers, GB 11643", 0.03, 0.02),
    "born": ("birth-date", "dates of birth, in agreement with doc_a", 0, 0.02),
    "firm": ("none", "names of firms", 0, 0),
    "doc_b": ("credit-code", "unified social credit codes, GB 32100", 0.03, 0.05),
    "pay_to": ("bank-card", "bank cards of 16, 17 and 19 digits, Luhn", 0.02, 0.10),
    "pay_eu": ("iban", "IBANs of five countries, some in groups of four", 0.02, 0.10),
    "tel": ("phone", "telephone numbers in three forms", 0, 0.05),
    "mail": ("email", "e-mail addresses", 0, 0.05),
    "lives_at": ("address", "postal addresses in two languages", 0, 0.01),
    "town": ("none", "names of towns", 0, 0),
    "y": ("coordinates", "latitude in degrees; stands beside x", 0, 0.02),
    "x": ("coordinates", "longitude in degrees; stands beside y", 0, 0.02),
    "remark": ("free-text", "sentences; see embedded", 0, 0.10),
    "signed_on": ("none", "dates of signature, 2019 to 2026", 0, 0),
    "case_18": ("none", "18 characters like identity numbers, every check digit wrong", 1, 0),
    "licence": ("none", "18 characters like credit codes, every check digit wrong", 1, 0),
    "transfer": ("none", "like IBANs, every pair of check digits wrong", 1, 0),
    "terminal": ("none", "16 random digits; one in ten passes Luhn by chance", 0, 0),
    "order_no": ("none", "order numbers", 0, 0),
    "clock": ("none", "13 digits: milliseconds since 1970", 0, 0),
    "amount": ("none", "amounts of money", 0, 0.05),
    "ratio": ("none", "numbers from -180 to 180 that are no coordinates", 0, 0),
}
CHECKED = {"doc_a": identity, "doc_b": credit, "pay_to": card, "pay_eu": iban}


def value(name: str, row: int, born: datetime.date, good: bool) -> str:
    if name == "doc_a":
        return identity(born, good)
    if name in CHECKED:
        return CHECKED[name](good)
    return {
        "row": lambda: str(row),
        "person": person,
        "born": born.isoformat,
        "firm": lambda: pick(FIRMS),
        "tel": phone,
        "mail": lambda: f"{pick(['lee', 'mara', 'q.zhou', 'o-brien', 'tan_w'])}{digits(5)}@{pick(['post', 'letters'])}.example",
        "lives_at": address,
        "town": lambda: pick(CITIES),
        "y": lambda: f"{-55 + RNG.random() * 120:.5f}",
        "x": lambda: f"{-180 + RNG.random() * 360:.5f}",
        "signed_on": lambda: day(2019, 2026).isoformat(),
        "case_18": lambda: identity(day(1940, 2005), valid=False),
        "licence": lambda: credit(valid=False),
        "transfer": lambda: iban(valid=False),
        "terminal": lambda: digits(16),
        "order_no": lambda: f"SO-{2019 + below(8)}-{below(10**6):06}",
        "clock": lambda: str(1_500_000_000_000 + below(300_000_000_000)),
        "amount": lambda: f"{RNG.random() * 5000:.2f}",
        "ratio": lambda: f"{-180 + RNG.random() * 360:.1f}",
    }[name]()


def build() -> tuple[list[list[str]], dict[str, dict[str, list[int]]]]:
    """The rows, and per column the rows that are valid, wrong or null, and what is embedded in free text."""
    truth = {name: {"valid": [], "wrong": [], "null": []} for name in COLUMNS}
    embedded: dict[str, list[int]] = {}
    rows = []
    for row in range(1, ROWS + 1):
        born, line = day(1935, 2015), []
        for name, (_, _, wrong, null) in COLUMNS.items():
            chance, bad = RNG.random(), RNG.random() < wrong
            if chance < null:
                truth[name]["null"].append(row)
                line.append("")
                continue
            if name == "remark":
                kinds: set[str] = set()
                line.append(note(kinds))
                for kind in kinds:
                    embedded.setdefault(kind, []).append(row)
                continue
            line.append(value(name, row, born, not bad))
            if name in CHECKED:
                truth[name]["wrong" if bad else "valid"].append(row)
            elif name == "terminal" and luhn_holds(line[-1]):
                truth[name]["valid"].append(row)
        rows.append(line)
    truth["remark"] |= {f"embedded {kind}": found for kind, found in sorted(embedded.items())}
    return rows, truth


def ranges(numbers: list[int]) -> str:
    """`[1, 2, 3, 7]` as `["1-3", "7"]`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return "[" + ", ".join(f'"{a}"' if a == b else f'"{a}-{b}"' for a, b in spans) + "]"


def truth_text(truth: dict[str, dict[str, list[int]]]) -> str:
    lines = [
        "# What stands in people.csv, written by make_people.py. Rows count from 1 below the header; `a-b` includes both ends.",
        '# kind: a detector of rulebooks/scheme.toml, or "none" for a decoy. valid_rows: rows whose value has the form and',
        "# the right check digit of the kind (for `terminal`, of a bank card, by chance). Where a kind has no check digit,",
        "# every row that is not null is of the kind and valid_rows is left out.",
        f"rows = {ROWS}",
    ]
    for name, (kind, what, _, _) in COLUMNS.items():
        found = truth[name]
        lines += ["", f"[column.{name}]", f'kind = "{kind}"', f'what = "{what}"', f"null_rows = {ranges(found['null'])}"]
        if name in CHECKED or name == "terminal":
            lines += [f"valid = {len(found['valid'])}", f"valid_rows = {ranges(found['valid'])}"]
        if name in CHECKED:
            lines.append(f"wrong_rows = {ranges(found['wrong'])}")
        if name in {"case_18", "licence", "transfer"}:
            lines += ["valid = 0", "valid_rows = []"]
        for key in sorted(k for k in found if k.startswith("embedded")):
            lines.append(f'embedded.{key.split(" ", 1)[1]} = {ranges(found[key])}')
    return "\n".join(lines) + "\n"


def main() -> None:
    rows, truth = build()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(COLUMNS), *rows])
    files = {HERE / "people.csv": text.getvalue(), HERE / "people.truth.toml": truth_text(truth)}
    for path, content in files.items():
        if "--check" in sys.argv:
            if path.read_bytes() != content.encode():
                sys.exit(f"{path.name} is not what the script writes")
        else:
            path.write_bytes(content.encode())
        print(f"{path.name}: {len(content.encode())} bytes")


if __name__ == "__main__":
    main()
