"""The app for any WSGI server: `wsgi:app`."""

from mailer.app import create_app

app = create_app()
