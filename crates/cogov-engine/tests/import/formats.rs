//! What is read from good files: every format, packing, encoding and type, with nothing lost.
use super::support::{column, import_bytes, import_with, objects, plan, reader, rows, sink};
use cogov_engine::import::{Format, Naming, Stage, import};
use cogov_model::DataType;
use object_store::memory::InMemory;
use std::io::Write;
use std::sync::{Arc, Mutex};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const PLAIN: &str = "Name,Age,Joined\nAda,36,2026-01-02\nBob,,2026-03-04\n";

#[tokio::test]
async fn csv_alone_gzipped_and_in_zstandard_gives_the_same_table() {
    let plain = import_bytes(PLAIN).await.unwrap();
    let zipped = import_bytes(gzip(PLAIN.as_bytes())).await.unwrap();
    let standard = import_bytes(zstd::encode_all(PLAIN.as_bytes(), 3).unwrap()).await.unwrap();
    let members =
        import_bytes([gzip(&PLAIN.as_bytes()[..20]), gzip(&PLAIN.as_bytes()[20..])].concat()).await.unwrap();
    for (store, imported) in [&plain, &zipped, &standard, &members] {
        assert_eq!(imported.version, plain.1.version, "same rows, same object, same name");
        assert_eq!(rows(store, imported).await, [["Ada", "36", "2026-01-02"], ["Bob", "∅", "2026-03-04"]]);
    }
    let imported = plain.1;
    let kinds: Vec<_> =
        imported.profile.columns.iter().map(|c| (c.name.as_str(), c.header.as_str(), c.data_type)).collect();
    assert_eq!(
        kinds,
        [
            ("name", "Name", DataType::Text),
            ("age", "Age", DataType::Integer),
            ("joined", "Joined", DataType::Date)
        ]
    );
    assert_eq!((column(&imported, "age").nulls, column(&imported, "name").distinct), (1, 2));
    assert_eq!(column(&imported, "name").examples, ["Aaa"]);
    assert!(imported.version.path.starts_with("data/test/t-") && imported.version.path.ends_with(".parquet"));
    assert_eq!(imported.columns().len(), 3);
}

#[tokio::test]
async fn numbers_that_are_codes_stay_as_they_are_written() {
    let csv = "zip,phone,long,exp,id,card,money,mixed,big,flag\n\
        007,+8613812345678,9223372036854775808,1e5,11010519491231002X,4111111111111111,1.50,1,9007199254740993,true\n\
        123,+8613812345679,1,2e7,110105194912310038,5500005555555559,2,x,0.5,FALSE\n";
    let (store, imported) = import_bytes(csv).await.unwrap();
    let rows = rows(&store, &imported).await;
    assert_eq!(
        rows[0],
        [
            "007",
            "+8613812345678",
            "9223372036854775808",
            "1e5",
            "11010519491231002X",
            "4111111111111111",
            "1.5",
            "1",
            "9007199254740993",
            "true"
        ]
    );
    let kinds: Vec<_> = imported.profile.columns.iter().map(|c| c.data_type.code()).collect();
    assert_eq!(kinds, ["text", "text", "text", "text", "text", "text", "real", "text", "text", "boolean"]);
}

#[tokio::test]
async fn a_type_is_never_wrong_later() {
    let mut csv = "n,day,moment\n".to_owned();
    for i in 0..30_000 {
        csv.push_str(&format!("{i},2026-01-01,2026-01-01T00:00:00Z\n"));
    }
    csv.push_str("12a,2026-01-01 10:00,2026-01-01T08:00:00+08:00\n");
    let (store, imported) = import_bytes(csv).await.unwrap();
    let kinds: Vec<_> = imported.profile.columns.iter().map(|c| c.data_type).collect();
    assert_eq!(kinds, [DataType::Text, DataType::Timestamp, DataType::Timestamp]);
    let rows = rows(&store, &imported).await;
    assert_eq!(rows[30_000], ["12a", "2026-01-01T10:00:00", "2026-01-01T00:00:00"]);
    assert_eq!((imported.profile.rows, imported.profile.rejected), (30_001, 0));
}

#[tokio::test]
async fn words_for_nothing_are_null_only_where_the_rest_is_no_text() {
    let (store, imported) = import_bytes("a,b,c\n1,NA,\"\"\nNA,x,y\n\"\",,z\n").await.unwrap();
    assert_eq!(rows(&store, &imported).await, [["1", "NA", ""], ["∅", "x", "y"], ["∅", "∅", "z"]]);
}

#[tokio::test]
async fn encodings_are_found_from_the_bytes() {
    let text = "姓名,城市,电话\n张伟,广州市,020-12345678\n王芳,成都市,028-87654321\n李娜,杭州市,0571-1234567\n刘洋,哈尔滨市,0451-1234567\n";
    let utf16 = |big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    let mut marked = b"\xff\xfe".to_vec();
    marked.extend(utf16(false));
    let mut marked_big = b"\xfe\xff".to_vec();
    marked_big.extend(utf16(true));
    let traditional = text
        .replace('张', "張")
        .replace('刘', "劉")
        .replace('话', "話")
        .replace('杨', "楊")
        .replace('滨', "濱")
        .replace('尔', "爾")
        .replace('广', "廣");
    let expected = import_bytes(text).await.unwrap();
    let expected = rows(&expected.0, &expected.1).await;
    let cases: [(Vec<u8>, &str); 5] = [
        (text.as_bytes().to_vec(), "UTF-8"),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), "UTF-8"),
        (encoding_rs::GB18030.encode(text).0.into_owned(), "gb18030"),
        (marked, "UTF-16LE"),
        (marked_big, "UTF-16BE"),
    ];
    for (bytes, name) in cases {
        let (store, imported) = import_bytes(bytes).await.unwrap();
        assert_eq!(imported.profile.encoding.as_deref(), Some(name));
        assert_eq!(rows(&store, &imported).await, expected, "{name}");
    }
    let (_, imported) = import_bytes(encoding_rs::BIG5.encode(&traditional).0.into_owned()).await.unwrap();
    assert_eq!(imported.profile.encoding.as_deref(), Some("Big5"));
    let (store, imported) = import_bytes(
        encoding_rs::WINDOWS_1252.encode("name,city\nJosé Müller,Köln\nZoë Børk,Århus\n").0.into_owned(),
    )
    .await
    .unwrap();
    assert_eq!(rows(&store, &imported).await[0], ["José Müller", "Köln"]);
}

#[tokio::test]
async fn a_name_that_comes_late_still_tells_the_encoding() {
    let mut text = "id,name\n".to_owned();
    for i in 0..60_000 {
        text.push_str(&format!("{i},plain ascii words\n"));
    }
    text.push_str("60000,中文姓名测试张伟\n60001,广州市越秀区\n");
    let (store, imported) = import_bytes(encoding_rs::GB18030.encode(&text).0.into_owned()).await.unwrap();
    assert_eq!(imported.profile.encoding.as_deref(), Some("gb18030"));
    assert_eq!(rows(&store, &imported).await[60_001][1], "广州市越秀区");
}

#[tokio::test]
async fn separators_quotes_and_line_ends_are_understood() {
    for (separator, end) in [(',', "\n"), ('\t', "\r\n"), (';', "\n"), ('|', "\r\n"), (',', "\r")] {
        // A break inside a value, of the kind that does not end lines.
        let inner = if end == "\r" { " " } else { "\n" };
        let text = ["a,b,c", "1,\"x \"\"y\"\" , z\",3", "2,\"two\nlines\",4", "", "3,5\" pipe,"]
            .join(end)
            .replace("two\nlines", &format!("two{inner}lines"))
            .replace(',', &separator.to_string());
        let (store, imported) = import_bytes(text).await.unwrap();
        assert_eq!(imported.profile.delimiter, Some(separator));
        let rows = rows(&store, &imported).await;
        assert_eq!(rows[0][1], format!("x \"y\" {separator} z"), "{separator:?} {end:?}");
        assert_eq!(rows[1][1], format!("two{inner}lines"));
        assert_eq!(rows[2], ["3", "5\" pipe", "∅"]);
    }
}

#[tokio::test]
async fn json_lines_keep_digits_and_take_names_as_they_come() {
    let json = r#"{"id": 1, "big": 123456789012345678901234567890, "text": "007", "when": "2026-01-02"}

{"id": 2, "nested": {"a": [1, "}"]}, "flag": true, "text": "\u5f20 \"x\"", "when": null}
"#;
    let (store, imported) = import_bytes(json).await.unwrap();
    let names: Vec<_> =
        imported.profile.columns.iter().map(|c| (c.name.as_str(), c.data_type.code())).collect();
    assert_eq!(
        names,
        [
            ("id", "integer"),
            ("big", "text"),
            ("text", "text"),
            ("when", "date"),
            ("nested", "text"),
            ("flag", "boolean")
        ]
    );
    let rows = rows(&store, &imported).await;
    assert_eq!(rows[0], ["1", "123456789012345678901234567890", "007", "2026-01-02", "∅", "∅"]);
    assert_eq!(rows[1], ["2", "∅", "张 \"x\"", "∅", "{\"a\": [1, \"}\"]}", "true"]);
}

#[tokio::test]
async fn json_names_that_come_one_by_one_are_all_columns() {
    let json: String = (0..600).map(|i| format!("{{\"c{i}\": {i}, \"all\": \"x\"}}\n")).collect();
    let (store, imported) = import_bytes(json).await.unwrap();
    assert_eq!((imported.profile.columns.len(), imported.profile.rows), (601, 600));
    assert_eq!(column(&imported, "c599").nulls, 599);
    let rows = rows(&store, &imported).await;
    assert!(rows[599][600] == "599" && rows[0][600] == "∅" && rows[599][0] == "∅" && rows[300][1] == "x");
}

#[tokio::test]
async fn parquet_of_our_own_and_names_as_they_are() {
    let (store, first) = import_bytes(PLAIN).await.unwrap();
    let bytes = super::support::bytes(&store, &first.version.path).await;
    let mut plan = plan();
    plan.format = Format::Parquet;
    plan.naming = Naming::Kept;
    let (again, second) = import_with(bytes.to_vec(), plan).await.unwrap();
    assert_eq!(rows(&again, &second).await, rows(&store, &first).await);
    assert_eq!(second.version.sha256, first.version.sha256, "same columns and rows, same bytes");
}

#[tokio::test]
async fn progress_is_told_and_parallel_imports_do_not_meet() {
    let store = Arc::new(InMemory::new());
    let told = Arc::new(Mutex::new(Vec::new()));
    let imports = (0..8).map(|i| {
        let (told, store) = (Arc::clone(&told), Arc::clone(&store));
        let csv = format!("a,b\n{}", format!("{},x\n", i % 4).repeat(1000));
        async move {
            import(reader(csv), plan(), sink(&store), move |p| told.lock().unwrap().push(p)).await.unwrap()
        }
    });
    let imported = futures::future::join_all(imports).await;
    assert_eq!(objects(&store).await.len(), 4, "equal content is one object");
    for (i, imported) in imported.iter().enumerate() {
        let rows = rows(&store, imported).await;
        assert!(rows.len() == 1000 && rows.iter().all(|r| r[0] == (i % 4).to_string()));
    }
    let told = told.lock().unwrap();
    for stage in [Stage::Receiving, Stage::Writing, Stage::Storing] {
        assert!(told.iter().any(|p| p.stage == stage), "{stage:?}");
    }
}
