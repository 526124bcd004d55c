//! What a run goes on from.

use super::*;

#[test]
fn a_resumed_run_ends_as_an_uninterrupted_one() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let path = folder.path().join("checkpoint.safetensors");
    let mut whole = trainer(&config);
    whole
        .checkpoint()
        .save(whole.layout(), &config, &path)
        .unwrap();
    for _ in 0..2 {
        assert_eq!(whole.train_one_epoch(|_, _| Ok(())).unwrap(), Ended::Done);
        whole.finish_epoch();
    }

    // The same, but stopped in the middle of the second epoch and started from the file.
    let mut first = trainer(&config);
    first.restore(&path).unwrap();
    first.train_one_epoch(|_, _| Ok(())).unwrap();
    first.finish_epoch();
    let stopped = first.train_one_epoch(|t, _| {
        anyhow::ensure!(t.position().batch < 2, "stop here");
        Ok(())
    });
    assert!(stopped.is_err());
    first
        .checkpoint()
        .save(first.layout(), &config, &path)
        .unwrap();
    let mut second = trainer(&config);
    assert_eq!(second.restore(&path).unwrap(), config);
    assert_eq!((second.position().epoch, second.position().batch), (1, 2));
    second.train_one_epoch(|_, _| Ok(())).unwrap();
    second.finish_epoch();

    let (a, b) = (whole.checkpoint(), second.checkpoint());
    assert_eq!(a.state.position, b.state.position);
    assert_eq!(a.optimizer.updates, b.optimizer.updates);
    let slot = |of: &Checkpoint, at: usize| of.optimizer.slots[at].values.clone();
    for (name, a, b) in [
        ("weights", a.weights.clone(), b.weights.clone()),
        ("average", a.ema.clone(), b.ema.clone()),
        ("first moment", slot(&a, 0), slot(&b, 0)),
        ("second moment", slot(&a, 1), slot(&b, 1)),
    ] {
        let worst = a
            .iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst <= 1e-6, "{name}: {worst}");
    }
}

#[test]
fn checkpoints_of_other_models_and_damaged_ones_are_refused() {
    let folder = tempdir();
    let config = toy_config(folder.path());
    let mut small = trainer(&config);
    let path = folder.path().join("checkpoint.safetensors");
    small
        .checkpoint()
        .save(small.layout(), &config, &path)
        .unwrap();
    let mut other = config.clone();
    other.model.se_reduction = 0;
    let error = format!("{:#}", trainer(&other).restore(&path).unwrap_err());
    assert!(error.contains("another model"), "{error}");

    let mut sgd = config.clone();
    sgd.optimizer.kind = OptimizerKind::Sgd(Sgd::default());
    let error = format!("{:#}", trainer(&sgd).restore(&path).unwrap_err());
    assert!(error.contains("optimizer.kind"), "{error}");

    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Checkpoint::load(&path, small.layout()).unwrap_err();
    assert!(format!("{error:#}").contains("checkpoint.safetensors"));
}

/// Their tensors had the kind of backbone in their names, the velocity of SGD was called a first
/// moment, and all settings stood in the config, whatever the kinds.
#[test]
fn checkpoints_of_older_programs_still_load() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.optimizer.kind = OptimizerKind::Sgd(Sgd::default());
    let mut trainer = trainer(&config);
    trainer.train_one_epoch(|_, _| Ok(())).unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let checkpoint = trainer.checkpoint();
    checkpoint.save(trainer.layout(), &config, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let older = |name: &str| {
        name.replace("/backbone.", "/backbone.MobilenetV1.")
            .replace("velocity/", "first/")
    };
    let tensors: Vec<_> = file
        .iter()
        .map(|(name, view)| (older(name), view))
        .collect();
    for name in
        ["ema", "first"].map(|group| format!("{group}/backbone.MobilenetV1.stem.conv.weight"))
    {
        assert!(tensors.iter().any(|(found, _)| *found == name), "{name}");
    }
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata = header.metadata().clone().unwrap();
    metadata.insert("format".into(), "retinamark checkpoint 2".into());
    let all = "betas: [0.9, 0.999]\n  epsilon: 1.0e-8\n  momentum:";
    let text = metadata["config"].replace("momentum:", all);
    metadata.insert("config".into(), text);
    let older = safetensors::serialize(tensors, Some(metadata)).unwrap();
    let (loaded, saved) = Checkpoint::parse(&older, trainer.layout()).unwrap();
    assert_eq!(saved, config);
    assert_eq!(loaded.weights, checkpoint.weights);
    assert_eq!(loaded.ema, checkpoint.ema);
    assert_eq!(loaded.optimizer, checkpoint.optimizer);
    assert_eq!(loaded.state.position, checkpoint.state.position);
}
