//! Parquet files as Hugging Face lays out data sets of images: a column `image` (or `img`) with the bytes of a picture,
//! and a column `label` (or `fine_label`) with its class.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::source::{Content, Parts, Source, ends, names, part_of};
use crate::domain::data::Split;
use crate::nn::data::DataError;

/// Columns of pictures.
const PICTURES: [&str; 4] = ["image.bytes", "img.bytes", "image", "img"];
/// Columns of classes.
const CLASSES: [&str; 3] = ["label", "fine_label", "cls"];

/// Where a picture is: its file, its group of rows, and its row in there.
type Row = (u32, u32, u32);

/// The files of a part, in the order of their names.
struct Tables {
    files: Vec<(PathBuf, SerializedFileReader<File>)>,
    labels: Vec<u32>,
    rows: Vec<Row>,
}

/// Reads classes and where the pictures are; nothing if there are no parquet files.
pub(super) fn open(root: &Path) -> Result<Option<Parts>, DataError> {
    let mut parts: BTreeMap<Split, Vec<PathBuf>> = BTreeMap::new();
    for name in names(root)?.into_iter().filter(|name| ends(name, "parquet")) {
        parts.entry(part_of(&name).unwrap_or(Split::Train)).or_default().push(root.join(name));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let files = parts.values().flatten().cloned().collect();
    let mut sources = BTreeMap::<Split, Arc<dyn Source>>::new();
    for (part, paths) in parts {
        let mut tables = Tables { files: Vec::new(), labels: Vec::new(), rows: Vec::new() };
        for path in paths {
            tables.add(path)?;
        }
        sources.insert(part, Arc::new(tables));
    }
    Ok(Some(Parts { form: "parquet files", sources, classes: None, files }))
}

fn broken(path: &Path, error: impl std::fmt::Display) -> DataError {
    DataError::form(path, format!("is no sound parquet file: {error}"))
}

/// Finds a column by one of several names.
fn column(reader: &SerializedFileReader<File>, wanted: &[&str]) -> Option<usize> {
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    wanted.iter().find_map(|name| columns.iter().position(|column| column.path().string() == *name))
}

impl Tables {
    fn add(&mut self, path: PathBuf) -> Result<(), DataError> {
        let file = File::open(&path).map_err(|error| DataError::reading("the table", &path, error))?;
        let reader = SerializedFileReader::new(file).map_err(|error| broken(&path, error))?;
        let lacks = |what: &str| DataError::form(&path, format!("has no column of {what}"));
        column(&reader, &PICTURES).ok_or_else(|| lacks("pictures (`image`)"))?;
        let classes = column(&reader, &CLASSES).ok_or_else(|| lacks("classes (`label`)"))?;
        let place = self.files.len() as u32;
        for group in 0..reader.num_row_groups() {
            let rows = reader.metadata().row_group(group).num_rows() as usize;
            let labels = read_classes(&reader, group, classes, rows).map_err(|error| broken(&path, error))?;
            self.rows.extend((0..rows as u32).map(|row| (place, group as u32, row)));
            self.labels.extend(labels);
        }
        self.files.push((path, reader));
        Ok(())
    }
}

/// Reads the classes of a group of rows.
fn read_classes(
    reader: &SerializedFileReader<File>,
    group: usize,
    column: usize,
    rows: usize,
) -> Result<Vec<u32>, String> {
    let text = |error: parquet::errors::ParquetError| error.to_string();
    let group = reader.get_row_group(group).map_err(text)?;
    let numbers = match group.get_column_reader(column).map_err(text)? {
        ColumnReader::Int64ColumnReader(mut reader) => read_rows(&mut reader, rows)?,
        ColumnReader::Int32ColumnReader(mut reader) => {
            read_rows(&mut reader, rows)?.into_iter().map(i64::from).collect()
        }
        _ => return Err("its classes are no whole numbers".to_owned()),
    };
    let labels: Option<Vec<u32>> = numbers.into_iter().map(|label| u32::try_from(label).ok()).collect();
    labels.filter(|labels| labels.len() == rows).ok_or_else(|| "a class is missing or negative".to_owned())
}

fn read_rows<T: DataType>(reader: &mut ColumnReaderImpl<T>, rows: usize) -> Result<Vec<T::T>, String> {
    let (mut values, mut levels, mut read) = (Vec::new(), Vec::new(), 0);
    while read < rows {
        let (records, ..) = reader
            .read_records(rows - read, Some(&mut levels), None, &mut values)
            .map_err(|error| error.to_string())?;
        if records == 0 {
            break;
        }
        read += records;
    }
    Ok(values)
}

impl Source for Tables {
    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn name(&self, index: usize) -> (PathBuf, String) {
        let (file, group, row) = self.rows[index];
        (self.files[file as usize].0.clone(), format!("row {row} of group {group}"))
    }

    fn read(&self, index: usize) -> Result<Content, DataError> {
        let (file, group, row) = self.rows[index];
        let (_, reader) = &self.files[file as usize];
        let picture = read_picture(reader, group as usize, row as usize);
        let bytes = picture.map_err(|problem| self.complaint(index, format!("cannot be read: {problem}")))?;
        Ok(Content::File(bytes.data().to_vec()))
    }
}

/// Reads the bytes of one picture; pages before it are passed over.
fn read_picture(reader: &SerializedFileReader<File>, group: usize, row: usize) -> Result<ByteArray, String> {
    let text = |error: parquet::errors::ParquetError| error.to_string();
    let column = column(reader, &PICTURES).ok_or("there is no column of pictures")?;
    let group = reader.get_row_group(group).map_err(text)?;
    let ColumnReader::ByteArrayColumnReader(mut reader) = group.get_column_reader(column).map_err(text)? else {
        return Err("its pictures are no bytes".to_owned());
    };
    reader.skip_records(row).map_err(text)?;
    let values = read_rows::<ByteArrayType>(&mut reader, 1)?;
    values.into_iter().next().ok_or_else(|| "there is no picture".to_owned())
}
