//! The key of a row as a function of DataFusion's, used in plans of our own only.

use super::faults;
use super::keys::row_keys;
use arrow::array::UInt64Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// A hash of the columns that tell a row apart.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RowKey {
    signature: Signature,
}

impl Default for RowKey {
    fn default() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for RowKey {
    fn name(&self) -> &str {
        "cogov_row_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut columns = Vec::new();
        for value in args.args {
            columns.push(value.into_array(args.number_rows)?);
        }
        let keys = row_keys(&columns).map_err(|_| faults::broken())?;
        Ok(ColumnarValue::Array(Arc::new(UInt64Array::from(keys))))
    }
}
