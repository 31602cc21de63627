use std::fs;

use super::*;
use crate::domain::data::Shapes;
use crate::nn::data::shapes;

const SET: Shapes = Shapes { size: 16, images: 12, seed: 2 };

/// A small set that a test may spoil.
fn sample() -> (tempfile::TempDir, PathBuf) {
    let cache = tempfile::tempdir().unwrap();
    let directory = shapes::write(&SET, cache.path()).unwrap();
    (cache, directory)
}

fn open(directory: &Path) -> Result<Broden, DataError> {
    Broden::open(directory, Normalisation::SHAPES)
}

fn all(broden: &Broden) -> Selection {
    broden.select(&["object", "part", "scene", "texture", "color"].map(str::to_owned)).unwrap()
}

/// Opens and reads everything; returns the first complaint.
fn complaint(directory: &Path) -> String {
    let read = open(directory).and_then(|broden| {
        let selection = all(&broden);
        for &image in &selection.images {
            broden.fill(image, &mut [0.0; 768])?;
            broden.segmentation(image, &selection)?;
        }
        Ok(())
    });
    read.unwrap_err().to_string()
}

/// Replaces text in a table.
fn spoil(directory: &Path, table: &str, from: &str, to: &str) {
    let path = directory.join(table);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn shapes_are_read_back_as_they_were_drawn() {
    let (_cache, directory) = sample();
    let broden = open(&directory).unwrap();
    let selection = all(&broden);
    assert_eq!((broden.len(), selection.images.len()), (12, 12));
    assert_eq!(broden.shape(), Shape { channels: 3, height: 16, width: 16 });
    let task = shapes::ShapesImages::open(&SET, crate::domain::data::Split::Train, None).unwrap();
    let (mut read, mut drawn) = (vec![0.0; 768], vec![0.0; 768]);
    for row in 0..12 {
        let index: usize = broden.tables.images[row].image[7..13].parse().unwrap();
        if index >= crate::nn::data::Images::len(&task) {
            continue;
        }
        broden.fill(row, &mut read).unwrap();
        crate::nn::data::Images::fill(&task, index, &mut drawn).unwrap();
        assert_eq!(read, drawn);
        let labels = broden.segmentation(row, &selection).unwrap();
        assert_eq!((labels.height, labels.width, labels.whole.len()), (8, 8, 1));
        assert!(broden.label(labels.whole[0]).ends_with("-s"));
        let object = shapes::OBJECTS[index % 6];
        assert!(labels.layers.iter().flatten().any(|&label| broden.label(label) == object), "{object}");
    }
}

#[test]
fn a_selection_keeps_the_order_of_the_directory_and_drops_empty_rows() {
    let (_cache, directory) = sample();
    let broden = open(&directory).unwrap();
    let names: Vec<_> = broden.tables.categories.iter().map(|category| category.name.clone()).collect();
    let mut reversed = names.clone();
    reversed.reverse();
    assert_eq!(broden.select(&reversed).unwrap().categories, names);
    for (label, &category) in all(&broden).primary.iter().enumerate().skip(1) {
        assert!(broden.tables.categories[category].coverage.contains_key(&(label as u32)));
    }
    let parts = broden.select(&["part".to_owned()]).unwrap();
    let with_parts = broden.tables.images.iter().filter(|entry| !entry.cells[parts.columns[0]].is_empty()).count();
    assert_eq!(parts.images.len(), with_parts);
    let error = broden.select(&["colour".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("no category `colour`"), "{error}");
    let with_materials = ["material", "object"].map(str::to_owned);
    assert_eq!(broden.select(&with_materials).unwrap().categories, ["object"]);
    assert!(broden.select(&[]).is_err() && broden.select(&with_materials[..1]).is_err());
}

#[test]
fn a_label_belongs_to_the_category_it_covers_most_of_and_to_the_last_of_equal_ones() {
    let (_cache, directory) = sample();
    let [first, second] = [0, 1].map(|i| open(&directory).unwrap().tables.categories[i].name.clone());
    let text = "code,number,name,frequency,coverage\n1,1,a,1,2.5\n2,2,b,1,1.0\n3,3,c,1,7\n";
    fs::write(directory.join(format!("c_{first}.csv")), text).unwrap();
    let text = "code,number,name,frequency,coverage\n1,1,a,1,2.0\n2,2,b,1,1.0\n";
    fs::write(directory.join(format!("c_{second}.csv")), text).unwrap();
    let selection = open(&directory).unwrap().select(&[first, second]).unwrap();
    assert_eq!(selection.primary[..5], [1, 0, 1, 0, 1]);
}

#[test]
fn cells_may_hold_nothing_numbers_and_several_pictures() {
    let (_cache, directory) = sample();
    let index = fs::read_to_string(directory.join("index.csv")).unwrap();
    let columns: Vec<_> = index.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let mut row: Vec<_> = index.lines().nth(1).unwrap().split(',').map(str::to_owned).collect();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    row[at("scene")] = "3;0;4".to_owned();
    row[at("part")] = format!("{};5;{}", row[at("object")], row[at("color")]);
    row[at("texture")].clear();
    let text: Vec<_> =
        index.lines().enumerate().map(|(i, line)| if i == 1 { row.join(",") } else { line.to_owned() }).collect();
    fs::write(directory.join("index.csv"), text.join("\n")).unwrap();
    let broden = open(&directory).unwrap();
    let only = |name: &str| broden.segmentation(0, &broden.select(&[name.to_owned()]).unwrap()).unwrap();
    assert_eq!(only("scene").whole, [3, 4]);
    assert_eq!((only("part").whole, only("part").layers.len()), (vec![5], 2));
    assert_eq!((only("texture").whole.len(), only("texture").layers.len()), (0, 0));
}

#[test]
fn missing_files_are_named() {
    let (_cache, directory) = sample();
    assert!(complaint(&directory.join("gone")).contains("does not exist"));
    for table in ["index.csv", "label.csv", "category.csv", "c_part.csv"] {
        let (_cache, directory) = sample();
        fs::remove_file(directory.join(table)).unwrap();
        let error = complaint(&directory);
        assert!(error.contains(table) && error.contains("does not exist"), "{error}");
    }
    fs::remove_file(directory.join("images/shapes/000003_color.png")).unwrap();
    let error = complaint(&directory);
    assert!(error.contains("000003_color.png") && error.contains("does not exist"), "{error}");
}

#[test]
fn damaged_pictures_are_named() {
    let (_cache, directory) = sample();
    let path = directory.join("images/shapes/000005.png");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = complaint(&directory);
    assert!(error.contains("000005.png") && error.contains("not a readable PNG"), "{error}");
    fs::write(&path, b"text").unwrap();
    assert!(complaint(&directory).contains("neither a JPEG nor a PNG"));
    fs::copy(directory.join("images/shapes/000005_color.png"), &path).unwrap();
    let error = complaint(&directory);
    assert!(error.contains("has 8×8 pixels") && error.contains("says 16×16"), "{error}");
}

#[test]
fn labels_out_of_range_are_named() {
    let (_cache, directory) = sample();
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 1, 0]));
    picture.save(directory.join("images/shapes/000007_object.png")).unwrap();
    let error = complaint(&directory);
    assert!(error.contains("000007_object.png") && error.contains("label 456"), "{error}");
}

#[test]
fn malformed_tables_are_named_with_the_line() {
    let cases = [
        ("index.csv", ",train,16,16,8,8", ",train,16,16,8", "the header has"),
        ("index.csv", "train,16,16,8,8", "train,sixteen,16,8,8", "`sixteen` is not a number of pixels"),
        ("index.csv", "train,16,16,8,8", "train,16,16,0,8", "`0` is not a number of pixels"),
        ("index.csv", "image,split", "picture,split", "no column `image`"),
        ("label.csv", "\n2,", "\ntwo,", "`two` is not a label number"),
        ("label.csv", "\n2,", "\n70000,", "larger than 65535"),
        ("c_color.csv", "\n2,", "\n2,999", "not in `label.csv`"),
    ];
    for (table, from, to, expected) in cases {
        let (_cache, directory) = sample();
        spoil(&directory, table, from, to);
        let error = complaint(&directory);
        assert!(error.contains(table) && error.contains(expected) && error.contains(", line "), "{error}");
    }
    let (_cache, directory) = sample();
    spoil(&directory, "label.csv", "\n3,", "\nthree,");
    assert!(complaint(&directory).contains("label.csv`, line 4:"));
}

#[test]
fn jpeg_images_are_read() {
    let (_cache, directory) = sample();
    let index = fs::read_to_string(directory.join("index.csv")).unwrap();
    let first = index.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    spoil(&directory, "index.csv", &first, "photograph.jpg");
    let bytes = include_bytes!("../../../../tests/fixtures/data/grey16.jpg");
    fs::write(directory.join("images/photograph.jpg"), bytes).unwrap();
    let mut pixels = [0.0; 768];
    open(&directory).unwrap().fill(0, &mut pixels).unwrap();
    assert_eq!(pixels[..256], pixels[256..512]);
}

#[test]
fn damaged_rows_are_left_out_if_the_profile_says_so() {
    let (_cache, directory) = sample();
    let notes = tempfile::tempdir().unwrap();
    let mut broden = open(&directory).unwrap();
    let rows = all(&broden).images.len();
    let spoilt = broden.tables.images[3].image.clone();
    fs::write(directory.join("images").join(&spoilt), "text").unwrap();
    broden.leave_out_damaged(&Notes::new(Some(notes.path()))).unwrap();
    let [(row, problem)] = broden.damaged() else { panic!("{:?}", broden.damaged()) };
    assert!(*row == 3 && problem.contains(&spoilt), "{row} {problem}");
    let left = all(&broden).images;
    assert!(left.len() == rows - 1 && !left.contains(&3), "{left:?}");
}
