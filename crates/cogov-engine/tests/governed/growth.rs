//! Queries that grow: refused before they are planned, or ended while their texts are still small. Apart from
//! `limits.rs`, which measures the memory of its process.

use crate::common::{TestTable, col, tester};
use arrow::array::StringArray;
use cogov_model::{Form, Treatment};

#[tokio::test(flavor = "multi_thread")]
async fn what_doubles_at_each_step_ends_early() {
    let words = (0..1000).map(|i| format!("{i:0>100}"));
    let table = TestTable {
        name: "data.wide",
        columns: vec![col("word", StringArray::from_iter_values(words), Treatment::Clear)],
        unit: None,
        granted: true,
    };
    let t = tester(vec![table], "", Form::Rows).await;
    let steps = |body: &'static str| -> String {
        (1..60).map(|i| format!(", c{i} as ({})", body.replace('?', &format!("c{}", i - 1)))).collect()
    };
    let join = steps("select x.word from ? x join ? y on x.word = y.word");
    let sql = format!("with c0 as (select word from wide){join} select count(*) from c59");
    assert_eq!(t.state(&sql).await, "54001");
    let double = steps("select word || word as word from ?");
    let sql =
        format!("with c0 as (select word from wide){double} select max(character_length(word)) from c59");
    assert_eq!(t.state(&sql).await, "53200");
    // Columns that are carried along count as well as those that are new: 25 MB each.
    let long = (0..8).fold("word".to_owned(), |text, _| format!("({text} || {text})"));
    let step = |i: usize| format!(", c{i} as (select *, t{} || '+' as t{i} from c{})", i - 1, i - 1);
    let carried: String = (1..20).map(step).collect();
    let all: Vec<String> = (0..20).map(|i| format!("max(t{i})")).collect();
    let sql =
        format!("with c0 as (select {long} as t0 from wide){carried} select {} from c19", all.join(", "));
    assert_eq!(t.state(&sql).await, "53200");
    let mut replaced = "word".to_owned();
    for _ in 0..8 {
        replaced = format!("replace({replaced}, '0', '{}')", "0".repeat(100));
    }
    assert_eq!(t.state(&format!("select character_length({replaced}) from wide")).await, "53200");
    assert_eq!(t.ok("select max(character_length(replace(word, '0', '00'))) from wide").await, ["200"]);
}
