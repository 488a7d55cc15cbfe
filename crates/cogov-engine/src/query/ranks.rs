//! Window functions and counts as PostgreSQL has them.
//!
//! Ranks, numbers of rows and some counts are whole numbers with a sign there, so that what is computed with them may be
//! below zero; DataFusion's have none, and become decimals beside others. And a window that is ordered ends with the rows that
//! tie with its row, which DataFusion forgets where it takes one column of the order for decided by another.

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, NamedWindowExpr, Query, SetExpr, Statement, Value, VisitMut, VisitorMut,
    WindowFrame, WindowSpec, WindowType,
};
use std::ops::ControlFlow;

/// Window functions whose numbers have no sign in DataFusion.
const RANKS: [&str; 4] = ["rank", "dense_rank", "row_number", "ntile"];

/// Aggregates of which the same is true.
const COUNTS: [&str; 2] = ["regr_count", "approx_distinct"];

/// The statement with its ranks as `bigint` and its windows written out. Names of columns leave casts out, and so stay as
/// they were.
pub(super) fn signed(mut statement: Statement) -> Statement {
    let _: ControlFlow<()> = VisitMut::visit(&mut statement, &mut Signed);
    statement
}

struct Signed;

impl VisitorMut for Signed {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let mut bodies = vec![query.body.as_mut()];
        while let Some(body) = bodies.pop() {
            match body {
                SetExpr::Select(select) => {
                    for window in &mut select.named_window {
                        if let NamedWindowExpr::WindowSpec(spec) = &mut window.1 {
                            write_out(spec);
                        }
                    }
                }
                SetExpr::SetOperation { left, right, .. } => bodies.extend([left.as_mut(), right.as_mut()]),
                _ => (),
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        if let Some(WindowType::WindowSpec(spec)) = &mut call.over {
            write_out(spec);
        }
        let name = call.name.to_string().trim_matches('"').to_lowercase();
        let ranks = call.over.is_some() && RANKS.contains(&name.as_str());
        if ranks || COUNTS.contains(&name.as_str()) {
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

/// The frame that an ordered window has where none is written: SQL:2016, 7.15.
fn write_out(spec: &mut WindowSpec) {
    if !spec.order_by.is_empty() && spec.window_frame.is_none() {
        spec.window_frame = Some(WindowFrame::default());
    }
}
