//! Ranks and numbers of rows as PostgreSQL has them: whole numbers with a sign, so that what is computed with them may be
//! below zero. DataFusion's have none, and become decimals beside others.

use datafusion::sql::sqlparser::ast::{CastKind, DataType, Expr, Statement, Value, VisitMut, VisitorMut};
use std::ops::ControlFlow;

/// Window functions whose numbers have no sign in DataFusion.
const UNSIGNED: [&str; 4] = ["rank", "dense_rank", "row_number", "ntile"];

/// The statement with its ranks as `bigint`. Names of columns leave casts out, and so stay as they were.
pub(super) fn signed(mut statement: Statement) -> Statement {
    let _: ControlFlow<()> = VisitMut::visit(&mut statement, &mut Signed);
    statement
}

struct Signed;

impl VisitorMut for Signed {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let unsigned = match expr {
            Expr::Function(call) if call.over.is_some() => {
                UNSIGNED.contains(&call.name.to_string().to_lowercase().as_str())
            }
            _ => false,
        };
        if unsigned {
            let call = std::mem::replace(expr, Expr::value(Value::Null));
            *expr = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(call),
                data_type: DataType::BigInt(None),
                array: false,
                format: None,
            };
        }
        ControlFlow::Continue(())
    }
}
