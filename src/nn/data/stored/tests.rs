use std::fs;
use std::path::PathBuf;

use super::*;
use crate::domain::data::DataSet;
use crate::nn::data::{Roots, of_data, open_task};

fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data").join(path)
}

/// Two classes of photographs, with a part for validation.
fn folders() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let put = |picture: &str, to: &str| {
        let to = root.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(fixture("pictures").join(picture), to).unwrap();
    };
    put("s444.jpg", "train/house/1.jpg");
    put("s420.jpg", "train/house/10.JPEG");
    put("grey.jpg", "train/flower/a.jpg");
    put("alpha.png", "train/flower/b.png");
    put("cmyk.jpg", "val/house/z.jpg");
    put("progressive.jpg", "val/flower/z.jpg");
    fs::write(root.path().join("train/house/notes.txt"), "no picture").unwrap();
    root
}

fn task() -> Task {
    let Task { normalisation, .. } = Task::digits();
    Task {
        data: DataSet::Stored { name: "set".to_owned() },
        classes: 2,
        input: Shape { channels: 3, height: 32, width: 32 },
        train: 4,
        val: 2,
        test: 0,
        augment: Vec::new(),
        normalisation,
        preparation: Some(Preparation { shorter: 36 }),
    }
}

fn at(root: &Path) -> Roots {
    Roots::from([("set".to_owned(), Place::at(root))])
}

fn skipping(root: &Path) -> Roots {
    Roots::from([("set".to_owned(), Place { damaged: Damaged::Skip, ..Place::at(root) })])
}

fn digest_of(roots: &Roots) -> String {
    of_data(&task().data, roots, None).unwrap().unwrap()
}

/// Values and class of every image of a part.
fn all(task: &Task, split: Split, root: &Path) -> Vec<(Vec<f32>, usize)> {
    let images = open_task(task, split, &at(root), None).unwrap();
    let read = |index| {
        let mut pixels = vec![0.0; images.shape().values()];
        images.fill(index, &mut pixels).unwrap();
        (pixels, images.label(index))
    };
    (0..images.len()).map(read).collect()
}

#[test]
fn folders_are_read_in_the_order_of_their_names() {
    let root = folders();
    let labels = |split| all(&task(), split, root.path()).into_iter().map(|(_, label)| label).collect::<Vec<_>>();
    assert_eq!((labels(Split::Train), labels(Split::Val)), (vec![0, 0, 1, 1], vec![0, 1]));
    let values = all(&task(), Split::Train, root.path());
    let expected = Raster::decode_whole(&fs::read(fixture("pictures/s444.jpg")).unwrap()).unwrap();
    let expected = expected.scale_shorter(36).cut_centre(32, 32);
    assert_eq!(values[2].0[5].to_bits(), (f32::from(expected.bytes[15]) / 255.0).to_bits());
    let error = open_task(&Task { train: 5, ..task() }, Split::Train, &at(root.path()), None).err().unwrap();
    assert!(error.to_string().contains("5 images"), "{error}");
}

#[test]
fn shards_packed_from_folders_are_the_same_data() {
    let (root, packed) = (folders(), tempfile::tempdir().unwrap());
    let shards = super::super::prepare(root.path(), packed.path(), 20_000).unwrap();
    assert_eq!(shards.len(), 3, "two of training, one of validation: {shards:?}");
    assert_eq!(digest_of(&at(root.path())), digest_of(&at(packed.path())));
    for split in [Split::Train, Split::Val] {
        assert_eq!(all(&task(), split, root.path()), all(&task(), split, packed.path()));
    }
    let again = tempfile::tempdir().unwrap();
    super::super::prepare(root.path(), again.path(), 20_000).unwrap();
    for shard in &shards {
        let other = again.path().join(shard.file_name().unwrap());
        assert_eq!(fs::read(shard).unwrap(), fs::read(other).unwrap());
    }
}

#[test]
fn digests_follow_bytes_classes_and_policy_but_not_names() {
    let root = folders();
    let before = digest_of(&at(root.path()));
    assert_ne!(before, digest_of(&skipping(root.path())));
    fs::rename(root.path().join("train/house/1.jpg"), root.path().join("train/house/0.jpg")).unwrap();
    assert_eq!(before, digest_of(&at(root.path())));
    fs::rename(root.path().join("train/house/0.jpg"), root.path().join("train/flower/c.jpg")).unwrap();
    assert_ne!(before, digest_of(&at(root.path())));
}

#[test]
fn damaged_images_are_named_with_their_shard() {
    let (root, packed) = (folders(), tempfile::tempdir().unwrap());
    let whole = fs::read(root.path().join("train/house/10.JPEG")).unwrap();
    fs::write(root.path().join("train/house/10.JPEG"), &whole[..whole.len() / 2]).unwrap();
    super::super::prepare(root.path(), packed.path(), 1 << 30).unwrap();
    for (root, names) in [(root.path(), ["10.JPEG", ""]), (packed.path(), ["train-000000.tar", "000000003.jpg"])] {
        let images = open_task(&task(), Split::Train, &at(root), None).unwrap();
        let error = images.fill(3, &mut [0.0; 3072]).unwrap_err().to_string();
        assert!(names.iter().all(|name| error.contains(name)) && error.contains("in the middle"), "{error}");
        assert!(images.skipped().is_empty());
        let images = open_task(&task(), Split::Train, &skipping(root), None).unwrap();
        images.fill(3, &mut [0.0; 3072]).unwrap_err();
        assert!(images.skipped()[0].contains(names[0]));
    }
}

#[test]
fn shards_that_are_cut_short_are_named() {
    let (root, packed) = (folders(), tempfile::tempdir().unwrap());
    let shards = super::super::prepare(root.path(), packed.path(), 1 << 30).unwrap();
    let bytes = fs::read(&shards[0]).unwrap();
    fs::write(&shards[0], &bytes[..bytes.len() / 2]).unwrap();
    let error = open_task(&task(), Split::Train, &at(packed.path()), None).err().unwrap().to_string();
    assert!(error.contains("train-000000.tar") && error.contains("cut short within its member"), "{error}");
}

#[test]
fn parts_that_are_missing_are_taken_from_training() {
    let root = folders();
    fs::remove_dir_all(root.path().join("val")).unwrap();
    for (from, to) in [("house/1.jpg", "house/2.jpg"), ("house/1.jpg", "house/3.jpg"), ("flower/a.jpg", "flower/d.jpg")]
    {
        fs::copy(root.path().join("train").join(from), root.path().join("train").join(to)).unwrap();
    }
    let parts = recognise(root.path(), &Notes::new(None)).unwrap();
    let task = Task { val: 2, test: 3, train: 2, ..task() };
    let chosen = |split| choose(&task, split, &parts).unwrap().1.unwrap();
    let mut all: Vec<usize> = [Split::Train, Split::Val, Split::Test].into_iter().flat_map(chosen).collect();
    assert_eq!(chosen(Split::Val), [2, 4], "the rule is part of what a task means");
    all.sort_unstable();
    assert_eq!(all, (0..7).collect::<Vec<_>>());
}

#[test]
fn arrays_and_shards_of_others_are_read() {
    for (form, files) in [
        ("tar shards", "webdataset"),
        ("CIFAR's binary files", "cifar10"),
        ("CIFAR's binary files", "cifar100"),
        ("idx files", "mnist"),
        ("npz files", "npz"),
        #[cfg(feature = "parquet")]
        ("parquet files", "parquet"),
    ] {
        let parts = recognise(&fixture(files), &Notes::new(None)).unwrap();
        assert_eq!(parts.form, form, "{files}");
        let expected: Expected =
            serde_json::from_slice(&fs::read(fixture(files).join("expected.json")).unwrap()).unwrap();
        for (name, samples) in expected.parts {
            let source = &parts.sources[&source::part_of(&name).unwrap()];
            assert_eq!(source.labels().len(), samples.len(), "{files} {name}");
            for (at, (label, sha256)) in samples.iter().enumerate() {
                let (Content::File(bytes) | Content::Pixels(Raster { bytes, .. })) = source.read(at).unwrap();
                let sum = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
                let sum = sum.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
                assert_eq!((source.labels()[at], &sum), (*label, sha256), "{files} {name} {at}");
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Expected {
    parts: std::collections::BTreeMap<String, Vec<(u32, String)>>,
}

#[test]
fn roots_that_hold_no_data_are_named() {
    let root = tempfile::tempdir().unwrap();
    let error = |root: &Path| recognise(root, &Notes::new(None)).err().unwrap().to_string();
    assert!(error(root.path()).contains("holds no folders of pictures"));
    fs::write(root.path().join("train-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 9]).unwrap();
    assert!(error(root.path()).contains("train-images-idx3-ubyte"));
    fs::write(root.path().join("train-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 0]).unwrap();
    assert!(error(root.path()).contains("is cut short"));
    fs::write(root.path().join("data_batch_1.bin"), [0; 100]).unwrap();
    assert!(error(root.path()).contains("100 bytes"));
    fs::write(root.path().join("train.tar"), [7; 1024]).unwrap();
    assert!(error(root.path()).contains("is no tar archive"));
}
