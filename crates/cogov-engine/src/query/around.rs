//! What an expression may name, with what is known of each column.

use super::facts::Facts;
use datafusion::common::{Column, DFSchemaRef};
use std::cell::{Cell, OnceCell};
use std::{collections::HashSet, sync::Arc};

/// The columns that an expression may name: of the node below, and of the queries around.
pub(super) struct Around<'a> {
    pub(super) schema: DFSchemaRef,
    columns: &'a [Arc<Facts>],
    pub(super) rows: &'a Facts,
    outer: Option<&'a Around<'a>>,
    /// Where the column after the one found last would be: statements often name them in their order.
    next: Cell<usize>,
    /// Whether no two columns have one name, of whatever table.
    distinct: OnceCell<bool>,
}

impl<'a> Around<'a> {
    pub(super) fn new(
        schema: &DFSchemaRef,
        columns: &'a [Arc<Facts>],
        rows: &'a Facts,
        outer: Option<&'a Self>,
    ) -> Self {
        let schema = Arc::clone(schema);
        Self { schema, columns, rows, outer, next: Cell::default(), distinct: OnceCell::new() }
    }

    pub(super) fn find(&self, column: &Column) -> Option<&Arc<Facts>> {
        let next = self.next.get();
        let here = match self.is_at(column, next) {
            true => next,
            false => self.schema.maybe_index_of_column(column)?,
        };
        self.next.set(here + 1);
        self.columns.get(here)
    }

    /// Whether the column is at this place, and no name could be taken for it: of two that could, execution takes the first
    /// (`people.age` may mean `data.people.age`), so its facts must be those.
    fn is_at(&self, column: &Column, place: usize) -> bool {
        place < self.schema.fields().len() && column.relation.is_some() && {
            let (table, field) = self.schema.qualified_field(place);
            table == column.relation.as_ref() && *field.name() == column.name && self.are_distinct()
        }
    }

    fn are_distinct(&self) -> bool {
        *self.distinct.get_or_init(|| {
            let mut met = HashSet::new();
            self.schema.fields().iter().all(|field| met.insert(field.name()))
        })
    }

    pub(super) fn find_outer(&self, column: &Column) -> Option<&Arc<Facts>> {
        let outer = self.outer?;
        outer.find(column).or_else(|| outer.find_outer(column))
    }
}
