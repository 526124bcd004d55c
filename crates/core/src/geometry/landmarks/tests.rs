use super::*;

fn assert_involution(s: &Scheme) {
    for i in 0..s.len() {
        assert_eq!(s.mirror()[s.mirror()[i]], i, "{} point {i}", s.name());
    }
}

#[test]
fn mirrors_are_involutions_with_the_right_fixed_points() {
    for s in Scheme::built_in() {
        assert_involution(&s);
    }
    let s = Scheme::wflw98();
    let fixed: Vec<usize> = (0..98).filter(|&i| s.mirror()[i] == i).collect();
    assert_eq!(fixed, [16, 51, 52, 53, 54, 57, 79, 85, 90, 94]);
    assert_eq!((s.mirror()[0], s.mirror()[5], s.mirror()[95]), (32, 27, 93));
    let s = Scheme::lapa106();
    let fixed: Vec<usize> = (0..106).filter(|&i| s.mirror()[i] == i).collect();
    assert_eq!(fixed, [16, 51, 52, 53, 54, 60, 87, 93, 98, 102]);
    let some = [33, 38, 55, 66, 71, 74, 84, 91, 101, 104].map(|i| s.mirror()[i]);
    assert_eq!(some, [46, 50, 65, 79, 82, 83, 90, 95, 103, 105]);
}

#[test]
fn a_nose_beside_the_eyes_is_a_turned_face() {
    let s = Scheme::five();
    let face = |nose| Landmarks::all([[0.0, 0.0], [40.0, 10.0], nose, [5.0, 40.0], [35.0, 50.0]]);
    assert!(!s.is_turned(&face([15.0, 25.0])));
    assert!(s.is_turned(&face([38.0, 25.0])));
    assert!(s.is_turned(&face([-6.0, 20.0])));
    let no_right_eye = face([38.0, 25.0]).masked(|[x, _]| x < 40.0);
    assert!(!s.is_turned(&no_right_eye));
}

#[test]
fn landmarks_of_another_scheme_have_no_five() {
    let five = |count| Scheme::five().five_of(&vec![[1.0, 2.0]; count]);
    assert_eq!(five(5), Some([[1.0, 2.0]; 5]));
    assert_eq!((five(4), five(6)), (None, None));
}

#[test]
fn a_custom_scheme_is_checked() {
    let of = |pairs: &[(usize, usize)], normalise, parts: &[&[usize]]| {
        let parts = parts.iter().map(|part| part.to_vec()).collect();
        Scheme::new("c", 3, pairs, normalise, Anatomy::default(), parts)
    };
    assert!(of(&[(0, 2)], [0, 2], &[]).is_ok());
    assert!(of(&[(0, 3)], [0, 2], &[]).is_err());
    assert!(of(&[(0, 2), (2, 1)], [0, 2], &[]).is_err());
    assert!(of(&[(0, 2), (1, 2)], [0, 2], &[]).is_err());
    assert!(of(&[], [1, 1], &[]).is_err());
    assert_eq!(of(&[], [0, 2], &[&[2, 0]]).unwrap().parts(), [[2, 0]]);
    assert!(of(&[], [0, 2], &[&[2, 3]]).is_err());
    assert!(of(&[], [0, 2], &[&[2]]).is_err());
}

/// A part in the mirror is a part, and those of 68 points are those of 98.
#[test]
fn parts_agree_with_mirrors_and_between_schemes() {
    let sorted = |part: &[usize], map: &dyn Fn(usize) -> usize| {
        let mut part: Vec<usize> = part.iter().map(|&i| map(i)).collect();
        part.sort_unstable();
        part
    };
    let (s68, s98) = (Scheme::ibug68(), Scheme::wflw98());
    for s in [&s68, &s98] {
        let all: Vec<usize> = s.parts().concat();
        assert_eq!((s.parts().len(), all[0]), (9, 0));
        assert!(
            all.windows(2).all(|w| w[0] + 1 == w[1]),
            "no point is left out"
        );
        for part in s.parts() {
            let mirror = sorted(part, &|i| s.mirror()[i]);
            assert!(s.parts().contains(&mirror), "{} {part:?}", s.name());
        }
    }
    assert_eq!(*s68.parts().concat().last().unwrap(), 67);
    assert_eq!(*s98.parts().concat().last().unwrap(), 95); // then the pupils
    let map = s68.points_in(&s98).unwrap();
    for (p68, p98) in s68.parts().iter().zip(s98.parts()) {
        let known = |&i: &usize| map[i].is_some_and(|i| p98.contains(&i));
        assert!(p68.iter().all(known), "{p68:?}");
    }
}
