"""What model servers do that no standard says: by server, what it does, and the test that has it."""

OLLAMA, OPENAI = "providers/ollama", "providers/openai_compatible"
DIALECTS, REFUSALS = f"{OPENAI}/test_dialects.py", f"{OPENAI}/test_refusals.py"
BUSY, GOING_ON = "generations/test_busy_server.py", "generations/test_going_on.py"

HABITS: tuple[tuple[str, str, str], ...] = (
    (
        "Ollama",
        "answers one at a time, the others wait inside",
        f"{BUSY}::test_of_five_questions_of_two_people_none_fails_and_the_newcomer_is_second",
    ),
    (
        "Ollama",
        "writes several at once where it is told to",
        f"{BUSY}::test_a_server_that_writes_several_at_once_gets_several",
    ),
    ("Ollama", "loads and reads for minutes without a word", f"{BUSY}::test_every_phase_is_told"),
    (
        "Ollama",
        "breaks off after a few tokens, again and again",
        f"{BUSY}::test_a_server_that_breaks_off_again_and_again_is_asked_five_times",
    ),
    (
        "Ollama",
        "ends a trailing assistant turn, by most templates",
        f"{GOING_ON}::test_a_model_whose_template_ends_the_answer_restarts_instead_of_gluing_two",
    ),
    (
        "Ollama",
        "prefers the template of the model's file, since 0.30",
        f"{OLLAMA}/test_continuing.py::test_it_is_the_template_that_decides_and_else_a_written_prompt",
    ),
    (
        "Ollama",
        "loads a model anew for another window",
        f"{OLLAMA}/test_windows.py::test_what_another_program_has_loaded_is_used_as_it_is",
    ),
    (
        "Ollama",
        "passes requests for a model elsewhere on",
        f"{OLLAMA}/test_windows.py::test_a_model_elsewhere_is_asked_for_no_window_and_not_loaded",
    ),
    (
        "Ollama before 0.12",
        "leaves out the beginning of a long conversation",
        f"{GOING_ON}::test_an_answer_whose_prompt_was_cut_in_silence_says_so",
    ),
    (
        "Ollama before 0.12",
        "the same: named in the list",
        "providers/test_catalog.py::test_an_ollama_that_cuts_in_silence_is_named",
    ),
    (
        "Ollama behind /v1",
        "leaves out the beginning of a long conversation",
        "providers/test_catalog.py::test_an_ollama_behind_v1_is_named_with_the_address_to_set",
    ),
    (
        "Ollama, old",
        "has no /api/ps or /api/version",
        f"{BUSY}::test_a_server_that_does_not_say_what_is_loaded_is_reading",
    ),
    ("llama.cpp", "closes after each stream and promises keep-alive", "providers/test_conformance.py::test_it"),
    (
        "llama.cpp",
        "goes on from a trailing assistant message",
        f"{OPENAI}/test_client.py::test_llama_cpp_is_recognised_and_goes_on",
    ),
    (
        "llama.cpp",
        "tells in /props how many it writes at once",
        "providers/test_catalog.py::test_llama_cpp_tells_how_many_it_writes_at_once",
    ),
    (
        "Gemma, Mistral",
        "templates that insist on turns",
        "generations/test_prompt.py::test_people_and_model_take_turns",
    ),
    ("Mistral", "content as a list of parts, [THINK]", f"{DIALECTS}::test_the_answer_is_understood"),
    (
        "DeepSeek, vLLM, Qwen",
        "<think> in the text, a lone </think>",
        f"{DIALECTS}::test_a_lone_end_makes_thinking_of_what_was_text",
    ),
    ("gpt-oss", "channels in the text", f"{DIALECTS}::test_thinking_is_told_from_text"),
    (
        "DeepSeek",
        "insufficient_system_resource as a reason to end",
        f"{DIALECTS}::test_the_reason_of_the_end_is_told_by_our_word_or_by_theirs",
    ),
    (
        "Gemini, Azure",
        "MAX_TOKENS, SAFETY, content_filter",
        f"{DIALECTS}::test_the_reason_of_the_end_is_told_by_our_word_or_by_theirs",
    ),
    (
        "OpenRouter, LiteLLM",
        "errors in mid-stream in a shape of their own",
        f"{DIALECTS}::test_what_went_wrong_is_said",
    ),
    ("some gateways", "a whole JSON answer, or a mislabelled stream", f"{DIALECTS}::test_the_answer_is_understood"),
    ("some proxies", "gzip that nobody asked for", f"{DIALECTS}::test_what_comes_packed_unasked_is_unpacked"),
    ("some runners", "half a character at a chunk's end", f"{DIALECTS}::test_halves_of_characters_are_joined"),
    ("OpenAI", "a refusal beside an empty content", f"{DIALECTS}::test_a_refusal_is_shown"),
    (
        "OpenAI, o-models",
        "max_completion_tokens; no temperature",
        f"{REFUSALS}::test_it_is_asked_without_and_once_only",
    ),
    (
        "Azure",
        "?api-version= in the address",
        "providers/test_addresses.py::test_a_query_of_the_address_goes_along_with_every_request",
    ),
    (
        "any that costs money",
        "must not be asked twice",
        f"{GOING_ON}::test_a_paid_server_is_not_asked_twice_once_it_began",
    ),
    (
        "any",
        "429 with a time, near or far",
        "providers/test_final_errors.py::test_who_says_to_come_back_much_later_is_not_waited_for",
    ),
    (
        "any",
        "out of memory, quota, payment, too long, in its own words",
        "providers/test_final_errors.py::test_a_failure_is_named_by_its_words",
    ),
)
