//! Tests of augment.
