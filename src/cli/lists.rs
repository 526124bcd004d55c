//! How lists of labelled photos are named on the command line.

/// The forms of a `--data` argument.
pub(super) const LISTS: &str = "\
Labelled photos are named as KIND:LIST[:IMAGES[:WIDER]]
  wflw:LIST:IMAGES         98 points a line; landmarks only
  wflw:LIST:IMAGES:WIDER   the faces that LIST leaves out are in WIDER: landmarks and AP
  wider:LIST:IMAGES        all boxes (wider_face_*_bbx_gt.txt): AP only
  retinaface:LIST:IMAGES   boxes and five points (label.txt)
  coco:LIST:IMAGES         COCO keypoints (JSON)
The others have a file of labels for each photo. LIST is a folder of them, a glob, or a text file with their
names; photos lie beside them, or at the same places in IMAGES.
  pts:LIST[:IMAGES]        .pts files of 300-W, Menpo and 300-VW; 68 points serve a 98-point model
  mat:LIST[:IMAGES]        MATLAB files of 300W-LP, AFLW2000-3D and COFW-68
  lapa:LIST[:IMAGES]       LaPa's .txt files of 106 points
  yolo:LIST[:IMAGES]       YOLO pose labels: all boxes, perhaps with points
  crops:LIST[:IMAGES]      .npts or .cpts files that `extract` wrote";
