"""Makes `cps.parquet` again from its source, so that anybody can check the file that ships.

    python3 -m venv venv && venv/bin/pip install "pandas>=2.2" "pyarrow>=21"
    venv/bin/python demo/make.py            # downloads the source, writes demo/cps.parquet
    venv/bin/python demo/make.py --verify   # downloads the source, compares it with the file that ships

The source is `taxcalc/cps.csv.gz` in the source package `taxcalc` 6.8.0 (CC0 1.0, see LICENSE-cps.md).
The conversion is lossless: every column and row, in the order of RECID, integers as integers. What is
compared is the content (a SHA-256 over the sorted rows), because the bytes of a Parquet file also
depend on the version of the library that wrote them.
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "taxcalc==6.8.0"
MEMBER = "taxcalc-6.8.0/taxcalc/cps.csv.gz"
# SHA-256 of MEMBER as downloaded, and of its content as `content_hash` computes it.
SOURCE_SHA256 = "492ead49db94fc4bb4109c33a6c9679aa32c41042e715333cc84df1fe49e578d"
CONTENT_SHA256 = "09478df14bf37469434f8e9a7229e06f89cee8c9943c14d6bcd9b3037c978b50"
SHAPE = (280_005, 68)

# Small whole numbers: codes, counts, flags, ages, years. Everything else is money in whole dollars,
# a key or a weight and is written as 64-bit, so that products do not wrap in 32 bits.
CODES = {
    "fips", "a_lineno", "ffpos", "FLPDYR", "EIC", "DSI", "MARS", "XTOT", "nu18", "n1820", "n21", "nu06",
    "nu13", "n24", "elderly_dependents", "f2441", "blind_head", "blind_spouse", "age_head", "age_spouse", "agi_bin",
}
# Ascending keys are smallest as differences; codes and repeated amounts as dictionaries; the rest plain.
ASCENDING = {"RECID", "h_seq"}
DICTIONARY = CODES | {
    "s006", "mcaid_ben", "mcare_ben", "e02100", "e02100p", "e02100s", "e00800", "pencon_p", "pencon_s",
    "e03150", "e32800", "housing_ben", "wic_ben",
}


def download(folder: pathlib.Path) -> pathlib.Path:
    """Fetches the source package with pip's own settings and unpacks the one file; checks its SHA-256."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PACKAGE, "-d", str(folder)], check=True
    )
    archive = next(folder.glob("taxcalc-6.8.0*.tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extract(MEMBER, folder, filter="data")
    source = folder / MEMBER
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != SOURCE_SHA256:
        sys.exit(f"{MEMBER}: SHA-256 is {found}, expected {SOURCE_SHA256}: not the file this demo was made from")
    return source


def content_hash(table: pa.Table) -> str:
    """SHA-256 over the column names and then each column as little-endian 64-bit integers, names sorted."""
    digest = hashlib.sha256()
    for name in sorted(table.column_names):
        digest.update(name.encode() + b"\0")
        digest.update(table[name].to_numpy().astype("<i8").tobytes())
    return digest.hexdigest()


def read_source(path: pathlib.Path) -> pa.Table:
    """The whole file as integers, by RECID; ends where a value is missing or not whole."""
    frame = pd.read_csv(path).sort_values("RECID", kind="stable").reset_index(drop=True)
    if frame.shape != SHAPE or frame.isna().any().any() or any(d.kind != "i" for d in frame.dtypes):
        sys.exit(f"{path.name}: expected {SHAPE} whole numbers without gaps, found {frame.shape}")
    schema = pa.schema([pa.field(c, pa.int32() if c in CODES else pa.int64(), nullable=False) for c in frame])
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def write(table: pa.Table, path: pathlib.Path) -> None:
    """Row groups of 65,536, zstd 19, encodings by the kind of column."""
    encodings = {
        c: "DELTA_BINARY_PACKED" if c in ASCENDING else "PLAIN" for c in table.column_names if c not in DICTIONARY
    }
    pq.write_table(
        table,
        path,
        row_group_size=65_536,
        compression="zstd",
        compression_level=19,
        use_dictionary=sorted(DICTIONARY),
        column_encoding=encodings,
        store_schema=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verify", action="store_true", help="compare with the file that ships, write nothing")
    options = parser.parse_args()
    target = HERE / "cps.parquet"
    with tempfile.TemporaryDirectory() as folder:
        table = read_source(download(pathlib.Path(folder)))
    found = content_hash(table)
    if found != CONTENT_SHA256:
        sys.exit(f"content is {found}, expected {CONTENT_SHA256}")
    if not options.verify:
        write(table, target)
    if content_hash(pq.read_table(target)) != CONTENT_SHA256:
        sys.exit(f"{target.name} does not hold what the source holds")
    print(f"{target.name}: {table.num_rows} rows, {table.num_columns} columns, {target.stat().st_size} bytes, content as the source")


if __name__ == "__main__":
    main()
