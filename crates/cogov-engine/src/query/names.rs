//! Names in SQL → granted tables and allowed functions, and nothing else.
//!
//! The schema is the dataset, the database the grant. A bare table name works when one dataset has it.

use super::faults;
use super::functions::Functions;
use super::governed::GovernedTable;
use crate::error::{ErrorKind, QueryError};
use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::config::ConfigOptions;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use std::sync::Arc;

/// What a statement's names can mean.
pub(super) struct Names<'a> {
    pub(super) grant: &'a str,
    pub(super) tables: &'a [Arc<GovernedTable>],
    pub(super) functions: &'a Functions,
    pub(super) options: &'a ConfigOptions,
}

impl Names<'_> {
    fn find(&self, name: &TableReference) -> std::result::Result<&Arc<GovernedTable>, QueryError> {
        let fits = |table: &&Arc<GovernedTable>| {
            table.name.as_str() == name.table()
                && name.schema().is_none_or(|schema| table.dataset.as_str() == schema)
                && name.catalog().is_none_or(|catalog| self.grant == catalog)
        };
        let mut found = self.tables.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(QueryError::new(
                ErrorKind::NoTable,
                format!("relation \"{name}\" does not exist"),
                format!("表“{name}”不存在"),
            )),
            (Some(_), Some(_)) => Err(QueryError::new(
                ErrorKind::NoTable,
                format!("more than one dataset of this grant has a table \"{name}\"; write dataset.{name}"),
                format!("该授权中多个数据集都有表“{name}”；请写成 数据集.{name}"),
            )),
        }
    }
}

impl ContextProvider for Names<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let table = self.find(&name).map_err(faults::carry)?;
        Ok(provider_as_source(Arc::clone(table) as Arc<dyn TableProvider>))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.functions.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.functions.scalars.get(name).cloned()
    }

    fn get_higher_order_meta(&self, _: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.functions.aggregates.get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.functions.windows.get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.scalars.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.functions.aggregates.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.functions.windows.keys().cloned().collect()
    }
}
