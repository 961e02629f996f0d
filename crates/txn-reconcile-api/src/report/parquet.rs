//! Apache Parquet, as flat tables: numbers as INT64, everything else as UTF-8 text. Amounts stay decimal text, since
//! one file may hold currencies of different exponents.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::table::{Kind, Table};
use crate::engine::Outcome;
use crate::rules::Ruleset;

/// Rows of a row group.
const GROUP_ROWS: usize = 65_536;

/// Writes a list.
///
/// # Errors
/// Those of the writer.
pub fn write(
    table: Table,
    outcome: &Outcome,
    rules: &Ruleset,
    out: &mut (dyn Write + Send),
) -> io::Result<()> {
    let schema = schema(table).map_err(io::Error::other)?;
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(out, schema, properties).map_err(io::Error::other)?;
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); table.columns().len()];
    table.rows(outcome, rules, |row| {
        columns.iter_mut().zip(row).for_each(|(column, field)| column.push(field.clone()));
        if columns[0].len() < GROUP_ROWS {
            return Ok(());
        }
        write_group(&mut writer, table, &mut columns)
    })?;
    if !columns[0].is_empty() {
        write_group(&mut writer, table, &mut columns)?;
    }
    writer.close().map(drop).map_err(io::Error::other)
}

fn schema(table: Table) -> Result<TypePtr, parquet::errors::ParquetError> {
    let fields: Result<Vec<TypePtr>, _> = table
        .columns()
        .iter()
        .map(|column| {
            let builder = match column.kind {
                Kind::Number => Type::primitive_type_builder(column.name, PhysicalType::INT64),
                _ => Type::primitive_type_builder(column.name, PhysicalType::BYTE_ARRAY)
                    .with_logical_type(Some(LogicalType::String)),
            };
            builder.with_repetition(Repetition::REQUIRED).build().map(Arc::new)
        })
        .collect();
    Type::group_type_builder("reconciliation").with_fields(fields?).build().map(Arc::new)
}

/// Writes the gathered rows as one row group and empties the columns.
fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    table: Table,
    columns: &mut [Vec<String>],
) -> io::Result<()> {
    let mut group = writer.next_row_group().map_err(io::Error::other)?;
    for (column, kind) in columns.iter_mut().zip(table.columns().iter().map(|column| column.kind)) {
        let Some(mut chunk) = group.next_column().map_err(io::Error::other)? else { break };
        let written = if kind == Kind::Number {
            let numbers: Vec<i64> = column.iter().map(|field| field.parse().unwrap_or_default()).collect();
            chunk.typed::<Int64Type>().write_batch(&numbers, None, None)
        } else {
            let texts: Vec<ByteArray> = column.iter().map(|field| ByteArray::from(field.as_str())).collect();
            chunk.typed::<ByteArrayType>().write_batch(&texts, None, None)
        };
        written.map_err(io::Error::other)?;
        chunk.close().map_err(io::Error::other)?;
        column.clear();
    }
    group.close().map(drop).map_err(io::Error::other)
}
