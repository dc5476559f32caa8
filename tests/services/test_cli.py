import subprocess
import sys


def test_the_command_starts_without_what_only_some_commands_need() -> None:
    heavy = "{'torch', 'pandas', 'pyarrow', 'streamlit', 'cv2', 'av', 'faiss'} & set(sys.modules)"
    code = f"import sys, services.cli; sys.exit(str({heavy} or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "\n"), done.stderr
