//! Helpers shared by all tests.

use std::io::Write;
use std::path::{Path, PathBuf};

use retinamark::data::{FaceLabel, Sample};
use retinamark::geometry::Landmarks;
use retinamark::synth::{self, Options};

/// What is too large to be part of the project: `../shared/NAME`, or where the environment `variable`
/// says. Where it is not, the test that asks for it says that it was skipped.
#[allow(dead_code, reason = "not every build has a module that needs it")]
pub fn shared(name: &str, variable: &str) -> Option<PathBuf> {
    let beside = || {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared")
            .join(name)
    };
    let folder = std::env::var_os(variable).map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    say(&format!(
        "skipped: there is no {} (see {variable})",
        folder.display()
    ));
    None
}

/// A line that is seen also when the test passes, unlike what `println!` writes.
#[allow(dead_code, reason = "not every build has a module that needs it")]
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A folder that vanishes with the value.
pub fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A file of the repository.
pub fn at_home(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file under `tests/data`.
#[allow(dead_code, reason = "not every build has a module with fixtures")]
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// `count` photos of `size` pixels with one drawn face each, whose size lies in the range `face`;
/// saved in `folder`.
pub fn drawn_faces(folder: &Path, count: usize, size: u32, face: [f32; 2]) -> Vec<Sample> {
    let options = Options {
        photos: count,
        faces_per_photo: 1,
        size,
        face,
        seed: 3,
        validation: 0.0,
    };
    let one = |index: usize| {
        let photo = synth::photo(&options, index).expect("a drawn photo");
        let name = format!("face_{index}.png");
        let path = folder.join(&name);
        photo.image.save(&path).expect("a folder to write to");
        let label = |face: &synth::SynthFace| FaceLabel {
            landmarks: Landmarks::all(face.landmarks()),
            ..FaceLabel::boxed(face.box_xyxy())
        };
        Sample {
            path,
            name: name.into(),
            faces: photo.faces.iter().map(label).collect(),
            complete: true,
            source: 0,
        }
    };
    (0..count).map(one).collect()
}

/// A network that starts from the files that `init` names.
#[allow(dead_code, reason = "not every build has a module that needs it")]
pub fn initialise<N: retinamark::model::Network>(
    model: N,
    init: &retinamark::config::InitConfig,
) -> anyhow::Result<N> {
    let config = retinamark::config::Config {
        init: init.clone(),
        ..Default::default()
    };
    retinamark::model::weights::initialise(model, &config)
}
