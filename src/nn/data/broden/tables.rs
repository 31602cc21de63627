//! The tables of a directory in Broden's layout.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use csv::StringRecord;

use crate::nn::data::DataError;

/// Columns of `index.csv` that are not categories.
const FIXED: [&str; 6] = ["image", "split", "ih", "iw", "sh", "sw"];
/// Largest number that a pixel can hold, in two channels.
const LAST: u32 = 0xFFFF;

/// What the tables say.
#[derive(Debug)]
pub(in crate::nn::data) struct Tables {
    /// Rows of all images.
    pub(super) height: usize,
    /// Columns of all images.
    pub(super) width: usize,
    /// Rows of `index.csv`.
    pub(in crate::nn::data) images: Vec<Entry>,
    /// Rows of `category.csv`.
    pub(in crate::nn::data) categories: Vec<Category>,
    /// Names by number; number 0 has none.
    pub(super) labels: Vec<String>,
}

impl Tables {
    /// Compares the tables with what a program says of the directory `name`.
    pub(in crate::nn::data) fn demand(&self, name: &str, size: usize, images: u64) -> Result<(), DataError> {
        let Self { height, width, .. } = *self;
        if (height, width) != (size, size) {
            let problem = format!(
                "the program expects `{name}` to have images of {size}×{size} pixels, but they have {width}×{height}"
            );
            return Err(DataError::parameters(problem));
        }
        let found = self.images.len() as u64;
        if found != images {
            let problem = format!("the program expects `{name}` to have {images} images, but it has {found}");
            return Err(DataError::parameters(problem));
        }
        Ok(())
    }
}

/// A row of `index.csv`.
#[derive(Debug)]
pub(in crate::nn::data) struct Entry {
    /// Name of the picture below `images`.
    pub(in crate::nn::data) image: String,
    /// Whether its split is `val`.
    pub(super) held_out: bool,
    /// Rows of its label maps.
    pub(super) seg_height: usize,
    /// Columns of its label maps.
    pub(super) seg_width: usize,
    /// What each category says of it.
    pub(in crate::nn::data) cells: Vec<Vec<Cell>>,
}

/// A part of a cell of `index.csv`.
#[derive(Debug, PartialEq)]
pub(in crate::nn::data) enum Cell {
    /// A label of the whole image.
    Whole(u32),
    /// A picture of labels.
    Layer(String),
}

/// A category and its labels.
#[derive(Debug)]
pub(in crate::nn::data) struct Category {
    /// Its name.
    pub(in crate::nn::data) name: String,
    /// Images' worth of pixels that each label covers in this category.
    pub(super) coverage: BTreeMap<u32, f64>,
}

/// Reads all tables of a directory.
///
/// # Errors
/// If one is missing, unreadable or malformed.
pub(in crate::nn::data) fn read(directory: &Path) -> Result<Tables, DataError> {
    if !directory.is_dir() {
        return Err(DataError::Missing {
            what: "the directory of labelled images,".to_owned(),
            path: directory.to_owned(),
        });
    }
    let labels = read_labels(directory)?;
    let categories = read_categories(directory, labels.len())?;
    let mut tables = Tables { height: 0, width: 0, images: Vec::new(), categories, labels };
    read_index(directory, &mut tables)?;
    Ok(tables)
}

/// Numbers and names.
fn read_labels(directory: &Path) -> Result<Vec<String>, DataError> {
    let mut table = Table::open(directory, "label.csv")?;
    let columns = table.columns(["number", "name"])?;
    let mut labels = vec![String::new()];
    while let Some([number, name]) = table.next(columns)? {
        let number: u32 = table.number(&number, "a label number")?;
        if number > LAST {
            return Err(table.complain(format!("the label number {number} is larger than {LAST}")));
        }
        if labels.len() <= number as usize {
            labels.resize(number as usize + 1, String::new());
        }
        labels[number as usize] = name;
    }
    Ok(labels)
}

/// Categories with their dense codings.
fn read_categories(directory: &Path, labels: usize) -> Result<Vec<Category>, DataError> {
    let mut table = Table::open(directory, "category.csv")?;
    let columns = table.columns(["name"])?;
    let mut categories = Vec::new();
    while let Some([name]) = table.next(columns)? {
        let mut codes = Table::open(directory, &format!("c_{name}.csv"))?;
        let columns = codes.columns(["number", "coverage"])?;
        let mut coverage = BTreeMap::new();
        while let Some([number, covered]) = codes.next(columns)? {
            let number = codes.label(&number, labels)?;
            coverage.insert(number, codes.number(&covered, "a coverage")?);
        }
        categories.push(Category { name, coverage });
    }
    Ok(categories)
}

/// Rows of images.
fn read_index(directory: &Path, tables: &mut Tables) -> Result<(), DataError> {
    let mut table = Table::open(directory, "index.csv")?;
    let fixed = table.columns(FIXED)?;
    let columns =
        tables.categories.iter().map(|category| table.column(&category.name)).collect::<Result<Vec<_>, _>>()?;
    while let Some([image, split, ih, iw, sh, sw]) = table.next(fixed)? {
        let [height, width, seg_height, seg_width] = table.sizes([ih, iw, sh, sw])?;
        if tables.images.is_empty() {
            (tables.height, tables.width) = (height, width);
        }
        if (height, width) != (tables.height, tables.width) {
            let (first_height, first_width) = (tables.height, tables.width);
            return Err(table.complain(format!(
                "this image has {width}×{height} pixels, the first one has {first_width}×{first_height}; all must be alike"
            )));
        }
        let cells = columns.iter().map(|&column| table.cells(column, tables.labels.len())).collect::<Result<_, _>>()?;
        let held_out = split == "val";
        tables.images.push(Entry { image, held_out, seg_height, seg_width, cells });
    }
    if tables.images.is_empty() {
        return Err(table.complain("the table lists no images".to_owned()));
    }
    Ok(())
}

/// A CSV file with a header, read line by line.
struct Table {
    path: std::path::PathBuf,
    reader: csv::Reader<File>,
    header: StringRecord,
    row: StringRecord,
    /// Line of `row`, or of the header.
    line: u64,
}

impl Table {
    fn open(directory: &Path, name: &str) -> Result<Self, DataError> {
        let path = directory.join(name);
        let file = File::open(&path).map_err(|error| DataError::reading("the table", &path, error))?;
        let reader = csv::Reader::from_reader(file);
        let mut table = Self { path, reader, header: StringRecord::new(), row: StringRecord::new(), line: 1 };
        match table.reader.headers() {
            Ok(header) => table.header = header.clone(),
            Err(error) => return Err(table.explain(error)),
        }
        Ok(table)
    }

    /// Finds a column.
    fn column(&self, name: &str) -> Result<usize, DataError> {
        let found = self.header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
        found.ok_or_else(|| self.complain(format!("there is no column `{name}`")))
    }

    /// Finds several columns.
    fn columns<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], DataError> {
        let mut columns = [0; N];
        for (column, name) in columns.iter_mut().zip(names) {
            *column = self.column(name)?;
        }
        Ok(columns)
    }

    /// Reads the next row's cells in some columns.
    fn next<const N: usize>(&mut self, columns: [usize; N]) -> Result<Option<[String; N]>, DataError> {
        match self.reader.read_record(&mut self.row) {
            Ok(true) => {
                self.line = self.row.position().map_or(self.line, csv::Position::line);
                Ok(Some(columns.map(|column| self.row[column].to_owned())))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(self.explain(error)),
        }
    }

    fn number<T: std::str::FromStr>(&self, text: &str, what: &str) -> Result<T, DataError> {
        text.trim().parse().map_err(|_| self.complain(format!("`{text}` is not {what}")))
    }

    /// Parses a number that must be in `label.csv`.
    fn label(&self, text: &str, labels: usize) -> Result<u32, DataError> {
        let number: u32 = self.number(text, "a label number")?;
        if (number as usize) < labels {
            Ok(number)
        } else {
            Err(self.complain(format!("the label {number} is not in `label.csv`, which ends at {}", labels - 1)))
        }
    }

    /// Parses sizes, which are positive and not larger than a picture can be.
    fn sizes<const N: usize>(&self, texts: [String; N]) -> Result<[usize; N], DataError> {
        let mut sizes = [0; N];
        for (size, text) in sizes.iter_mut().zip(texts) {
            *size = self.number(&text, "a number of pixels")?;
            if !(1..=LAST as usize).contains(size) {
                return Err(self.complain(format!("`{text}` is not a number of pixels from 1 to {LAST}")));
            }
        }
        Ok(sizes)
    }

    /// Parses the current row's cell of a category.
    fn cells(&self, column: usize, labels: usize) -> Result<Vec<Cell>, DataError> {
        let parts = self.row[column].split(';').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| {
                if part.bytes().all(|byte| byte.is_ascii_digit()) {
                    self.label(part, labels).map(Cell::Whole)
                } else {
                    Ok(Cell::Layer(part.to_owned()))
                }
            })
            .collect()
    }

    fn complain(&self, problem: String) -> DataError {
        DataError::malformed(&self.path, self.line, problem)
    }

    fn explain(&self, error: csv::Error) -> DataError {
        let line = error.position().map_or(self.line, csv::Position::line);
        let problem = match error.into_kind() {
            csv::ErrorKind::Io(error) => return DataError::reading("the table", &self.path, error),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("this line has {len} cells, the header has {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "this line is not UTF-8 text".to_owned(),
            kind => format!("this is not a table of comma-separated values: {kind:?}"),
        };
        DataError::malformed(&self.path, line, problem)
    }
}
