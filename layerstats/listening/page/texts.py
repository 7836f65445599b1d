"""What the page says, by place; a design's own texts stand instead."""

from __future__ import annotations

from collections.abc import Mapping

from layerstats.errors import ArgumentError

# Names in braces are filled in by the page; an empty line begins a new paragraph.
TEXTS: dict[str, str] = {
    "language_code": "en",
    "no_script": "This page needs JavaScript to play sounds and to keep your answers.",
    "no_memory": (
        "Your browser does not let this page keep your answers. Please do not close or reload it before the end."
    ),
    "consent": (
        "You will hear short sounds and say what you hear or think of them.\n\n"
        "Taking part is voluntary. You may stop at any time by closing this page. Your answers and the identifier with "
        "which you came here are stored, and are used for research."
    ),
    "agree": "I agree and want to take part",
    "preview": "This is a preview. Please accept the task to begin.",
    "language_heading": "Your language",
    "language": "What is your native language?",
    "language_note": "If you grew up with several, please name all of them.",
    "language_missing": "Please type your native language.",
    "headphones_heading": "Headphones",
    "headphones": "Please put on headphones and sit in a quiet place.",
    "headphones_question": "You will hear three tones. Which of them is the quietest?",
    "headphones_again": (
        "Some of these answers were not right, which happens easily over loudspeakers. Please make sure that you wear "
        "headphones on both ears, and try once more."
    ),
    "play_tones": "Play the three tones",
    "third": "Third",
    "check": "Tones {number} of {total}",
    "instructions_heading": "Instructions",
    "instructions": (
        "You will hear one trial after another. Please listen to each to its end, and answer by what you hear. There "
        "are no right or wrong opinions."
    ),
    "how_to_answer": (
        "You may play a sound again before you answer. On a keyboard the space bar plays, number keys choose, and "
        "Enter goes on. If you close or reload this page, you can go on where you were in the same browser."
    ),
    "practice_first": "It begins with some trials for practice.",
    "begin": "Begin",
    "after_practice_heading": "The practice is over",
    "after_practice": "From now on your answers count.",
    "practice": "Practice {number} of {total}",
    "trial": "Trial {number} of {total}",
    "progress": "Progress",
    "play": "Play",
    "play_first": "Play the first",
    "play_second": "Play the second",
    "play_a": "Play A",
    "play_b": "Play B",
    "play_x": "Play X",
    "your_answer": "Your answer",
    "first": "First",
    "second": "Second",
    "same": "No difference",
    "first_is_x": "X is A",
    "second_is_x": "X is B",
    "next": "Next",
    "listen_first": "Please listen to the end before you answer.",
    "may_answer": "You may answer now.",
    "sound_problem": "This sound could not be played. Please check your connection and play it again.",
    "without_answer": "Go on without an answer",
    "keys": "Keys: space plays, {first} to {last} choose, Enter goes on.",
    "keys_typed": "Keys: space plays, Enter goes on.",
    "comment_heading": "The last question",
    "comment": "Is there anything you would like to tell us? (You may leave this empty.)",
    "submit": "Hand in my answers",
    "sending_heading": "Your answers are being sent",
    "sending": "Sending. Please do not close this page.",
    "not_sent": "Your answers could not be sent yet. Next try in {seconds} s.",
    "refused": "The server did not take your answers: {reason}",
    "send_now": "Send again now",
    "sending_trouble": (
        "If this does not work, please download your answers and send the file to whoever invited you."
    ),
    "download_heading": "Your answers",
    "download": (
        "Please download your answers and send the file to whoever invited you. Your completion code appears "
        "afterwards."
    ),
    "download_csv": "Download as CSV",
    "download_json": "Download as JSON",
    "thanks_heading": "Thank you",
    "thanks": "You have finished. You may close this page once you have copied the code.",
    "thanks_mturk": "You have answered everything. Please submit the task: your answers reach us only then.",
    "code": "Your completion code:",
    "go_back": "Go back to where you came from",
    "finish_hit": "Submit this task",
    "another_rater": "Begin again as another person",
    "no_session": "There is no session {session} in this test. Please check the address.",
    "done_before": "Your answers have been handed in already. Thank you.",
    "no_server": "The server could not be reached. Please check your connection.",
    "try_again": "Try again",
    "other_window_heading": "Open in another window",
    "other_window": "This test goes on in another window or tab. Please use only one.",
    "use_this_window": "Go on in this window",
}


def page_texts(own: Mapping[str, str]) -> dict[str, str]:
    """Return all texts of the page: the design's own, and those above for the rest.

    Raises
    ------
    ArgumentError
        A text has a name that the page does not know, or is none.

    Examples
    --------
    >>> page_texts({"next": "Weiter"})["next"]
    'Weiter'
    """
    unknown = [name for name in own if name not in TEXTS]
    if unknown:
        raise ArgumentError(f"The page has no place for the text {unknown[0]!r}. It has: {', '.join(TEXTS)}.")
    wrong = [name for name, text in own.items() if not isinstance(text, str)]
    if wrong:
        raise ArgumentError(f"The text {wrong[0]!r} of the page must be text, but is {own[wrong[0]]!r}.")
    return {**TEXTS, **own}
