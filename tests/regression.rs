//! Tests of regression.
