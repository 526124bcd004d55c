//! Points in MATLAB files, one a photo: 300W-LP, AFLW2000-3D and COFW-68.
//!
//! | data set | file | points | origin |
//! |---|---|---|---|
//! | 300W-LP | `AFW/NAME.mat`, photo beside it | `pt2d`, 2 x 68 | 1 |
//! | AFLW2000-3D | `image00002.mat`, photo beside it | `pt3d_68`, 3 x 68; its `pt2d` has AFLW's 21 | 1 |
//! | COFW-68 | `test_annotations/1_points.mat`, photo `1.png` | `Points`, 68 x 2; `Occ` | 1 |
//!
//! The first two are Zhu et al., "Face Alignment Across Large Poses", CVPR 2016
//! (<http://www.cbsr.ia.ac.cn/users/xiangyuzhu/projects/3DDFA/main.htm>): of `pt3d_68` x and y are read, and
//! `Pose_Para` = pitch, yaw, roll in radians, translation, scale gives the head's pose. The third is Ghiasi
//! and Fowlkes, "Occlusion Coherence", 2015 (<https://github.com/golnazghiasi/cofw68-benchmark>); points
//! that `Occ` calls occluded are labelled all the same. Its photos are inside `COFW_test_color.mat` and
//! have to be written out, the first one as `1.png`. Points are iBUG's 68; MATLAB counts pixel centres
//! from 1 (see [`from_pts`]). The bounds of the points stand in for a box.

use std::path::Path;

use super::Reason;
use super::files::{Format, Parsed};
use super::list::{Fault, Place, Units};
use super::mat5::{self, Matrix};
use super::pts::listed;
use crate::geometry::{HeadPose, Landmarks, Point, from_pts};

/// As the reader of files knows it.
pub(super) const FORMAT: Format = Format {
    endings: &["mat"],
    suffix: "_points",
    units: Units::Pixels,
    parse,
};

/// Names of points, the best first, and whether a column holds one of them, or a row.
const POINTS: [(&str, bool); 3] = [("pt3d_68", true), ("pt2d", true), ("Points", false)];
const POSE: &str = "Pose_Para";

fn parse(_: &Path, bytes: &[u8]) -> Parsed {
    let names = POINTS.iter().map(|&(name, _)| name).chain([POSE]);
    let names: Vec<&str> = names.collect();
    let faults = |fault| (Place::Whole, fault);
    let variables = mat5::read(bytes, &names).map_err(faults)?;
    let find = |name| variables.iter().find(|m| m.name == name);
    let found = (POINTS.iter()).find_map(|&(name, columns)| Some((find(name)?, columns)));
    let (matrix, columns) = found.ok_or_else(|| {
        let names = POINTS.map(|(name, _)| format!("`{name}`")).join(" nor ");
        let text = format!("holds neither {names}, the points of a face");
        faults(Fault::new(Reason::Malformed, text))
    })?;
    let points = points(matrix, columns).map_err(faults)?;
    let mut face = listed(Landmarks::all(points));
    face.label.pose = find(POSE).map(pose).transpose().map_err(faults)?;
    Ok(vec![face])
}

fn points(matrix: &Matrix, columns: bool) -> Result<Vec<Point>, Fault> {
    let (axes, count) = match columns {
        true => (matrix.rows, matrix.columns),
        false => (matrix.columns, matrix.rows),
    };
    if !(2..=3).contains(&axes) || count == 0 {
        let [rows, columns] = [matrix.rows, matrix.columns];
        let text = format!(
            "`{}` is {rows} x {columns}; {} x and y are expected",
            matrix.name,
            if columns == count {
                "rows of"
            } else {
                "columns of"
            }
        );
        return Err(Fault::new(Reason::WrongCount, text));
    }
    let at = |point, axis| match columns {
        true => matrix.number(axis, point),
        false => matrix.number(point, axis),
    };
    let point = |i| Ok(from_pts([at(i, 0)?, at(i, 1)?]));
    (0..count).map(point).collect()
}

fn pose(matrix: &Matrix) -> Result<HeadPose, Fault> {
    if matrix.rows * matrix.columns < 3 {
        let text = format!(
            "`{POSE}` has {} numbers; pitch, yaw, roll, translation and scale are expected",
            matrix.rows * matrix.columns
        );
        return Err(Fault::new(Reason::WrongCount, text));
    }
    let [pitch, yaw, roll] = [0, 1, 2].map(|i| match matrix.rows {
        1 => matrix.number(0, i),
        _ => matrix.number(i, 0),
    });
    Ok(HeadPose {
        pitch: pitch?,
        yaw: yaw?,
        roll: roll?,
    })
}
