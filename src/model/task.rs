//! Which network each task trains.

/// `$body` with `$network` standing for the type of the network that `$task` trains.
macro_rules! with_network {
    ($task:expr, $network:ident => $body:expr) => {
        match $task {
            $crate::config::Task::Detect => {
                type $network = $crate::model::RetinaFace;
                $body
            }
            $crate::config::Task::Align => {
                type $network = $crate::model::Aligner;
                $body
            }
        }
    };
}

pub(crate) use with_network;
