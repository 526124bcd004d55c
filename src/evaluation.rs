//! Running a predictor over labelled photos.
