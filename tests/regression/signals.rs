//! Work that was lost to signals, to a second run, and to whoever may not read it.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use retinamark::config::Config;

use super::lost::{assert_code, dead_pipe, text, toy_run};
use crate::support::tempdir;

fn send(child: &Child, signal: &str) {
    let kill = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// Wait until the run has done its first step.
fn wait_for_steps(config: &Config, child: &mut Child) {
    let steps = config.train.out.join("steps.csv");
    let begun = Instant::now();
    while fs::read_to_string(&steps).map_or(0, |text| text.lines().count()) < 2 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no step in a minute"
        );
        assert!(child.try_wait().unwrap().is_none(), "the run has ended");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn wait(mut child: Child) -> (Option<i32>, String) {
    let mut words = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut words).unwrap();
    }
    (child.wait().unwrap().code(), words)
}

/// `train 2>&1 | tee log`: Ctrl-C ends `tee` as well, and the word about it ended the run before
/// its checkpoint: up to 80 steps were gone.
#[test]
fn ctrl_c_keeps_the_steps_when_the_reader_dies_with_it() {
    let folder = tempdir();
    let (config, mut command) = toy_run(folder.path(), 500);
    let mut child = command
        .stdout(dead_pipe())
        .stderr(dead_pipe())
        .spawn()
        .unwrap();
    wait_for_steps(&config, &mut child);
    send(&child, "-INT");
    assert_eq!(wait(child).0, Some(130));
    let checkpoints = fs::read_dir(config.train.out.join("checkpoints")).unwrap();
    assert!(checkpoints.count() > 0);
}

/// A terminal that is closed says so twice, through the shell and through the kernel: the second
/// time must not end the run before its checkpoint.
#[test]
fn a_closed_terminal_keeps_the_steps() {
    let folder = tempdir();
    let (config, mut command) = toy_run(folder.path(), 500);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_steps(&config, &mut child);
    send(&child, "-HUP");
    send(&child, "-HUP");
    let (code, words) = wait(child);
    assert_eq!(code, Some(130), "{words}");
    assert!(words.contains("continue with --resume"), "{words}");
    let checkpoints = fs::read_dir(config.train.out.join("checkpoints")).unwrap();
    assert!(checkpoints.count() > 0);
}

/// `nohup retinamark train &` died when its terminal was closed.
#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let folder = tempdir();
    let (config, command) = toy_run(folder.path(), 20);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(command.get_program());
    shell
        .args(command.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    wait_for_steps(&config, &mut child);
    send(&child, "-HUP");
    let (code, words) = wait(child);
    assert_eq!(code, Some(0), "{words}");
    assert!(config.train.out.join("final.safetensors").exists());
}

/// Two runs on one folder overwrote each other's checkpoints and mixed the rows of their logs.
#[test]
fn a_folder_has_one_run_at_a_time() {
    let folder = tempdir();
    let (config, mut command) = toy_run(folder.path(), 500);
    let mut first = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_steps(&config, &mut first);
    for more in [&[][..], &["--resume"]] {
        let (_, mut command) = toy_run(folder.path(), 500);
        let output = command.args(more).output().unwrap();
        assert_code(&output, 1);
        let words = text(&output.stderr);
        let owner = format!("in use by process {}", first.id());
        assert!(words.contains(&owner), "{words}");
    }
    // A dead owner is no obstacle.
    send(&first, "-KILL");
    first.wait().unwrap();
    let (_, mut command) = toy_run(folder.path(), 1);
    let output = command.args(["--set", "train.epochs=1"]).output().unwrap();
    assert_code(&output, 0);
    assert!(!config.train.out.join(".lock").exists());
}

/// Results were readable for everybody whatever the umask, and for nobody else where a group
/// shares a folder.
#[test]
fn the_umask_says_who_may_read() {
    use std::os::unix::fs::PermissionsExt;
    for (umask, mode) in [("002", 0o664), ("077", 0o600)] {
        let folder = tempdir();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        shell
            .arg(env!("CARGO_BIN_EXE_retinamark"))
            .args(["synth", "--photos", "2", "--out"]);
        assert_code(&shell.arg(folder.path().join("drawn")).output().unwrap(), 0);
        let data = fs::metadata(folder.path().join("drawn/train.txt")).unwrap();
        assert_eq!(data.permissions().mode() & 0o777, mode);
    }
}
