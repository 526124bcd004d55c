//! Lists and settings that were not read, or read half a pixel off.

use std::path::Path;

use image::{Rgb, RgbImage};
use retinamark::config::{Config, SourceConfig, SourceKind};
use retinamark::data::Reason;
use retinamark::geometry::{BoxXyxy, Point};
use retinamark::output::pts_text;

use crate::data::{Folder, load, load_skipping, source, wflw_line};
use crate::support::tempdir;

const GOOD: [f32; 4] = [10.0, 10.0, 50.0, 60.0];

// Every line was bad, and the error spoke of photos that another source gives already.
#[test]
fn a_list_without_a_good_line_says_so() {
    let folder = Folder::new(&["a.png"]);
    let good = wflw_line(GOOD, "a.png");
    let bad = good.replacen("10 10", "10 ten", 1);
    let text = format!("{bad}1 2 3\n{}", good.replace("a.png", "gone.png"));
    let error = |source: &SourceConfig| load_skipping(source).unwrap_err().to_string();
    let list = folder.source(SourceKind::Wflw, &text);
    let said = error(&list);
    let first = format!("first: {}:1: `ten`", list.list.display());
    assert!(
        said.starts_with("all 3 lines of ") && said.contains(&first),
        "{said}"
    );
    let said = error(&folder.source(SourceKind::Wider, "x.png\n0\na.png\n1\n1 2 x 4\n"));
    assert!(said.starts_with("all 2 photos of "), "{said}");
    let said = error(&folder.source(SourceKind::Retinaface, "# x.png\n1 2 3 4\n"));
    assert!(
        said.starts_with("the only photo of ") && said.contains("missing"),
        "{said}"
    );
    let said = error(&folder.source(SourceKind::Wider, "\n"));
    assert!(said.ends_with("names no photo"), "{said}");
    folder.write("a.pts", "version: 2");
    let points = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let said = error(&points);
    assert!(
        said.starts_with("the only file of ") && said.contains("a.pts:1"),
        "{said}"
    );
}

// One broken `.pts` of 2,000 stopped everything in spite of --skip-errors; `IMG_1.JPG` beside
// `img_1.pts`, `.PTS` and `.jfif` were not found, and macOS's `._a.pts` was an error.
#[test]
fn points_are_read_whatever_else_lies_there() {
    let folder = Folder::new(&["a.png", "b.png", "sub/c.png", "d.png"]);
    let text = pts_text(&[[30.0, 40.0], [50.0, 60.0]].repeat(49));
    std::fs::rename(folder.path("b.png"), folder.path("B.JFIF")).unwrap();
    for name in ["a.PTS", "b.pts", "sub/c.pts", "e.pts"] {
        folder.write(name, &text);
    }
    for name in ["._a.pts", "._a.png", "sub/._c.pts"] {
        folder.write(name, "\0\x05\x16\x07");
    }
    std::fs::create_dir(folder.path("folder.pts")).unwrap();
    std::fs::write(folder.path("d.pts"), b"version: 1\n\xff\xfe\n").unwrap();
    folder.write("e.HEIC", "");
    let list = source(SourceKind::Pts, folder.dir.path(), Path::new(""));
    let set = load_skipping(&list).unwrap();
    let names: Vec<&str> = set.samples.iter().map(|s| &*s.name).collect();
    assert_eq!(names, ["a.png", "B.JFIF", "sub/c.png"]);
    let report = set.report.to_string();
    assert_eq!(set.report.count(Reason::Unreadable), 2, "{report}");
    assert!(
        report.contains("folder.pts: not a regular file"),
        "{report}"
    );
    assert!(report.contains("d.pts:2: not UTF-8"), "{report}");
    assert!(
        report.contains("e.HEIC is of a kind that cannot be read"),
        "{report}"
    );
    assert!(report.contains("2 files that macOS keeps"), "{report}");
    let error = load(&list).unwrap_err().to_string();
    assert!(error.contains("d.pts:2"), "{error}");
}

// Points were written, and read, half a pixel off against what 300-W and menpo mean.
#[test]
fn points_of_300w_lie_where_menpo_sees_them() {
    let drawn: Point = [41.3, 27.8];
    let photo = RgbImage::from_fn(120, 100, |x, y| {
        let distance = (x as f32 + 0.5 - drawn[0]).hypot(y as f32 + 0.5 - drawn[1]);
        Rgb([(255.0 * (9.5 - distance).clamp(0.0, 1.0)) as u8; 3])
    });
    // Where the disc is when the first pixel has its centre at 0, as menpo counts.
    let mut sum = [0.0f64; 3];
    for (x, y, pixel) in photo.enumerate_pixels() {
        let mass = f64::from(pixel.0[0]);
        let parts = [mass * f64::from(x), mass * f64::from(y), mass];
        sum.iter_mut()
            .zip(parts)
            .for_each(|(sum, part)| *sum += part);
    }
    let folder = Folder::new(&[]);
    photo.save(folder.path("a.png")).unwrap();
    let mut points = vec![drawn];
    points.extend((1..98).map(|i| [10.0 + i as f32, 50.0]));
    let text = pts_text(&points);
    let first = text.lines().nth(3).unwrap();
    let menpo: Vec<f64> = first
        .split(' ')
        .map(|v| v.parse::<f64>().unwrap() - 1.0)
        .collect();
    for axis in 0..2 {
        let off = menpo[axis] - sum[axis] / sum[2];
        assert!(off.abs() < 0.05, "{off} pixels off along axis {axis}");
    }
    folder.write("a.pts", &text);
    let set = load(&source(SourceKind::Pts, folder.dir.path(), Path::new(""))).unwrap();
    let read = &set.samples[0].faces[0].landmarks;
    for (a, b) in read.points().zip(&points) {
        assert!((a[0] - b[0]).abs() < 1e-3 && (a[1] - b[1]).abs() < 1e-3);
    }
}

// A configuration saved by Windows' Notepad was "not valid YAML" at a place that looked fine.
#[test]
fn settings_may_begin_with_a_byte_order_mark() {
    let folder = tempdir();
    let path = folder.path().join("config.yaml");
    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Config::load(Some(&path), &[])
    };
    let config = load("\u{feff}train:\r\n  epochs: 7\r\n".as_bytes()).unwrap();
    assert_eq!(config.train.epochs, 7);
    assert_eq!(Config::from_yaml("\u{feff}seed: 3").unwrap().seed, 3);
    let wide: Vec<u8> = "\u{feff}seed: 3\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = format!("{:#}", load(&wide).unwrap_err());
    assert!(
        error.contains("config.yaml") && error.contains("UTF-16"),
        "{error}"
    );
    let error = format!("{:#}", load(b"seed: 3\n# caf\xe9\n").unwrap_err());
    assert!(error.contains("UTF-8"), "{error}");
    // Lists too.
    let lists = Folder::new(&["a.png"]);
    let list = lists.source(SourceKind::Wider, "\u{feff}a.png\r\n0\r\n");
    assert_eq!(crate::data::load(&list).unwrap().samples.len(), 1);
    std::fs::write(&list.list, wide).unwrap();
    let error = crate::data::load(&list).unwrap_err().to_string();
    assert!(error.contains("Wider.txt:1: UTF-16"), "{error}");
}

// WIDER lists that other tools write have `x y w h` alone, and names such as `a.JPE`.
#[test]
fn wider_lists_of_boxes_alone_are_read() {
    let folder = Folder::new(&["a.png", "b.png", "c.png", "d.png"]);
    for (name, to) in [("b.png", "b.JPE"), ("c.png", "c.jfif")] {
        std::fs::rename(folder.path(name), folder.path(to)).unwrap();
    }
    let text = "a.png\n2\n1 2 30 40\n50 6 30 40 0 0 0 1 0 0\nb.JPE\n0\n0 0 0 0\nc.jfif\n1\n5 5 20 30\n\
                d.png\n0\n";
    let set = load(&folder.source(SourceKind::Wider, text)).unwrap();
    let ignored = |photo: usize| set.samples[photo].faces.iter().map(|f| f.ignored);
    assert!(ignored(0).eq([false, true]));
    let counts: Vec<_> = set.samples.iter().map(|s| s.faces.len()).collect();
    assert_eq!(counts, [2, 0, 1, 0]);
    assert_eq!(
        set.samples[0].faces[0].box_xyxy,
        BoxXyxy::new(1.0, 2.0, 31.0, 42.0)
    );
    let unreadable = folder.source(SourceKind::Wider, "a.png\n0\nx.heic\n1\n5 5 20 30\n");
    let error = load(&unreadable).unwrap_err().to_string();
    assert!(error.contains("Wider.txt:3: photo"), "{error}");
}
